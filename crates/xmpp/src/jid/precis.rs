//! Localparts and resourceparts: the profiles UsernameCaseMapped and OpaqueString of RFC 8265.
//!
//! The rules are those of `precis-profiles`. The classes of `precis-core` know Unicode 6.3 and call
//! everything younger unassigned, which would refuse the emoji of the last ten years in the name
//! of a room's occupant. RFC 8264, section 8, derives the property of a code point from Unicode as
//! it is, so for those the derivation is made here, from tables that are kept up to date.

use precis_core::profile::Rules;
use precis_core::{DerivedPropertyValue, Error, FreeformClass, IdentifierClass, StringClass};
use precis_profiles::{OpaqueString, UsernameCaseMapped};
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Applied again until nothing changes (RFC 8264, section 7): so often, or refused.
const ROUNDS_MAX: usize = 4;

/// Code points younger than Unicode 6.3 that are marks and yet default ignorable.
const YOUNG_IGNORABLE: char = '\u{180f}';

/// The enforced form of a localpart.
pub(super) fn local(text: &str) -> Option<Cow<'_, str>> {
    let excluded = |c: char| matches!(c, '"' | '&' | '\'' | '/' | ':' | '<' | '>' | '@');
    if text.is_ascii() {
        // RFC 8264 9.11: ASCII without blanks and controls.
        let allowed = text.chars().all(|c| c.is_ascii_graphic() && !excluded(c));
        return allowed.then(|| lowercase(text));
    }
    let prepared = stable(text, |text| {
        let rules = UsernameCaseMapped::new();
        let text = rules.width_mapping_rule(text)?;
        Class(IdentifierClass::default()).allows(&text)?;
        let text = rules.case_mapping_rule(text)?;
        let text = rules.normalization_rule(text)?;
        Ok(rules.directionality_rule(text)?.into_owned())
    })?;
    // RFC 7622 3.3.1, in what is left after the mapping.
    (!prepared.contains(excluded)).then_some(Cow::Owned(prepared))
}

/// The enforced form of a resourcepart.
pub(super) fn resource(text: &str) -> Option<Cow<'_, str>> {
    // RFC 7622 3.5, example 18: `juliet@example.com/ foo` is no address.
    if text.starts_with(' ') {
        return None;
    }
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Some(Cow::Borrowed(text));
    }
    let prepared = stable(text, |text| {
        let rules = OpaqueString::new();
        Class(FreeformClass::default()).allows(text)?;
        let text = rules.additional_mapping_rule(text)?;
        Ok(rules.normalization_rule(text)?.into_owned())
    })?;
    (!prepared.starts_with(' ')).then_some(Cow::Owned(prepared))
}

/// Whether a text is of the identifier class, whose letters and digits are those of IDNA2008.
pub(super) fn is_identifier(text: &str) -> bool {
    Class(IdentifierClass::default()).allows(text).is_ok()
}

fn stable(text: &str, enforce: impl Fn(&str) -> Result<String, Error>) -> Option<String> {
    let mut last = enforce(text).ok()?;
    for _ in 0..ROUNDS_MAX {
        let next = enforce(&last).ok()?;
        if next == last {
            return Some(last);
        }
        last = next;
    }
    None
}

/// A class of `precis-core` that knows younger characters too.
struct Class<C>(C);

impl<C: StringClass + IsFreeform> StringClass for Class<C> {
    fn get_value_from_char(&self, c: char) -> DerivedPropertyValue {
        match self.0.get_value_from_char(c) {
            DerivedPropertyValue::Unassigned => derive(c, C::FREEFORM),
            known => known,
        }
    }

    fn get_value_from_codepoint(&self, code: u32) -> DerivedPropertyValue {
        let unassigned = DerivedPropertyValue::Unassigned;
        char::from_u32(code).map_or(unassigned, |c| self.get_value_from_char(c))
    }
}

trait IsFreeform {
    const FREEFORM: bool;
}

impl IsFreeform for FreeformClass {
    const FREEFORM: bool = true;
}

impl IsFreeform for IdentifierClass {
    const FREEFORM: bool = false;
}

/// RFC 8264, section 8, for what is younger than its exceptions and context rules.
fn derive(c: char, freeform: bool) -> DerivedPropertyValue {
    use GeneralCategory as Category;
    let of_class = if freeform {
        DerivedPropertyValue::SpecClassPval
    } else {
        DerivedPropertyValue::SpecClassDis
    };
    if c == YOUNG_IGNORABLE {
        return DerivedPropertyValue::Disallowed;
    }
    let has_compatibility = !std::iter::once(c).nfkc().eq(std::iter::once(c));
    match c.general_category() {
        Category::Unassigned => DerivedPropertyValue::Unassigned,
        Category::Control
        | Category::Format
        | Category::Surrogate
        | Category::PrivateUse
        | Category::LineSeparator
        | Category::ParagraphSeparator => DerivedPropertyValue::Disallowed,
        _ if has_compatibility => of_class,
        Category::LowercaseLetter
        | Category::UppercaseLetter
        | Category::OtherLetter
        | Category::DecimalNumber
        | Category::ModifierLetter
        | Category::NonspacingMark
        | Category::SpacingMark => DerivedPropertyValue::PValid,
        _ => of_class,
    }
}

fn lowercase(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}
