//! Which messages of an archive a request means: filters, then a page of what they let through
//! (XEP-0313, section 4; XEP-0059).

use super::Kept;
use crate::forms::{self, Field};
use crate::limits::{PAGE_MAX, PAGE_MAX_BYTES};
use std::collections::VecDeque;
use wharf_xmpp::jid::Jid;
use wharf_xmpp::xml::Element;

pub(super) const RSM: &str = "http://jabber.org/protocol/rsm";

/// Names asked for one by one, at most.
const IDS_MAX: usize = PAGE_MAX;

/// What a request asks for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Wish {
    with: Option<Jid>,
    start: Option<u64>,
    end: Option<u64>,
    /// Only these.
    ids: Option<Vec<u64>>,
    after_id: Option<u64>,
    before_id: Option<u64>,
    page: Page,
}

/// A page (XEP-0059, section 2).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Page {
    max: Option<usize>,
    after: Option<u64>,
    /// `Some(None)`: the last one.
    before: Option<Option<u64>>,
    index: Option<usize>,
}

/// What a request is wrong in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wrong {
    /// It cannot be read.
    Request,
    /// There is no such message.
    NoSuch,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) kept: Vec<Kept>,
    pub(super) count: usize,
    /// How many come before the first.
    pub(super) index: usize,
    /// Nothing comes behind it, in the way that the page was asked for.
    pub(super) complete: bool,
}

impl Wish {
    pub(super) fn read(query: &Element<'_>) -> Result<Self, Wrong> {
        let mut wish = Self::default();
        if let Some(form) = query.child("x", forms::FORMS) {
            wish.filter(&forms::read(&form))?;
        }
        if let Some(set) = query.child("set", RSM) {
            wish.page = Page::read(&set)?;
        }
        Ok(wish)
    }

    fn filter(&mut self, form: &[Field]) -> Result<(), Wrong> {
        for field in form {
            let value = field.values.first().map(String::as_str).unwrap_or_default();
            match field.name.as_str() {
                "with" => self.with = Some(Jid::parse(value).map_err(|_| Wrong::Request)?),
                "start" => self.start = Some(time(value).ok_or(Wrong::Request)?),
                "end" => self.end = Some(time(value).ok_or(Wrong::Request)?),
                "after-id" => self.after_id = Some(id(value)?),
                "before-id" => self.before_id = Some(id(value)?),
                "ids" => {
                    let ids = field.values.iter().take(IDS_MAX).map(|value| id(value));
                    self.ids = Some(ids.collect::<Result<_, _>>()?);
                }
                "FORM_TYPE" => {}
                // XEP-0313 4.1: what is not understood is not passed over.
                _ => return Err(Wrong::Request),
            }
        }
        Ok(())
    }

    fn fits(&self, kept: &Kept) -> bool {
        let bare = kept.peer.split('/').next().unwrap_or_default();
        let with = self.with.as_ref().is_none_or(|with| {
            if with.is_bare() { with.as_str() == bare } else { *with.as_str() == *kept.peer }
        });
        with && self.start.is_none_or(|start| kept.name >= start)
            && self.end.is_none_or(|end| kept.name <= end)
            && self.after_id.is_none_or(|after| kept.name > after)
            && self.before_id.is_none_or(|before| kept.name < before)
            && self.ids.as_ref().is_none_or(|ids| ids.contains(&kept.name))
    }

    /// The page of an archive; `size` tells how long a message is.
    pub(super) fn find(
        &self,
        archive: &VecDeque<Kept>,
        size: impl Fn(&Kept) -> usize,
    ) -> Result<Found, Wrong> {
        self.check_names(archive)?;
        let fitting: Vec<&Kept> = archive.iter().filter(|kept| self.fits(kept)).collect();
        let count = fitting.len();
        let max = self.page.max.unwrap_or(PAGE_MAX).min(PAGE_MAX);
        let first_after = |name: u64| fitting.partition_point(|kept| kept.name <= name);
        let first_from = |name: u64| fitting.partition_point(|kept| kept.name < name);
        let sizes = |at: usize| fitting.get(at).map_or(0, |kept| size(kept));
        let (first, end, complete) = match (self.page.before, self.page.after, self.page.index) {
            (Some(before), after, _) => {
                let end = before.map_or(count, first_from);
                let floor = after.map_or(0, first_after).min(end);
                let first = end.saturating_sub(max).max(floor);
                let len = within_bytes((first..end).rev().map(sizes));
                let first = end.saturating_sub(len);
                (first, end, first == floor)
            }
            (None, after, index) => {
                let first = after.map_or(0, first_after).max(index.unwrap_or(0)).min(count);
                let end = first.saturating_add(max).min(count);
                let end = first.saturating_add(within_bytes((first..end).map(sizes)));
                (first, end, end == count)
            }
        };
        let kept = fitting.get(first..end).unwrap_or_default();
        let kept = kept.iter().map(|kept| (*kept).clone()).collect();
        Ok(Found { kept, count, index: first, complete })
    }

    /// Whether every message that is named is there.
    fn check_names(&self, archive: &VecDeque<Kept>) -> Result<(), Wrong> {
        let is_there = |name: &u64| archive.binary_search_by_key(name, |kept| kept.name).is_ok();
        let mut named = self.ids.iter().flatten().chain(&self.after_id).chain(&self.before_id);
        let before = self.page.before.flatten();
        let all = named.all(is_there)
            && self.page.after.iter().all(is_there)
            && before.iter().all(is_there);
        if all { Ok(()) } else { Err(Wrong::NoSuch) }
    }
}

/// How many of these go into one page: the first always does.
fn within_bytes(sizes: impl Iterator<Item = usize>) -> usize {
    let mut bytes = 0usize;
    sizes
        .take_while(|size| {
            let first = bytes == 0;
            bytes = bytes.saturating_add(*size).saturating_add(1);
            first || bytes <= PAGE_MAX_BYTES
        })
        .count()
}

impl Page {
    fn read(set: &Element<'_>) -> Result<Self, Wrong> {
        let said = |name: &str| set.child(name, RSM).map(|child| child.text().into_owned());
        let number = |name: &str| {
            said(name).map(|text| text.trim().parse().map_err(|_| Wrong::Request)).transpose()
        };
        let name = |name: &str| said(name).map(|text| id(&text)).transpose();
        let before = match said("before") {
            Some(text) if text.is_empty() => Some(None),
            Some(text) => Some(Some(id(&text)?)),
            None => None,
        };
        Ok(Self { max: number("max")?, after: name("after")?, before, index: number("index")? })
    }
}

fn id(text: &str) -> Result<u64, Wrong> {
    text.parse().map_err(|_| Wrong::NoSuch)
}

/// A time (XEP-0082, section 3.2) in microseconds since 1970; what is before that is 0.
fn time(text: &str) -> Option<u64> {
    let (date, rest) = text.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let zone = rest.find(['Z', '+', '-'])?;
    let (clock, zone) = rest.split_at_checked(zone)?;
    let mut clock = clock.splitn(3, ':');
    let (hour, minute) = (clock.next()?.parse::<i64>().ok()?, clock.next()?.parse::<i64>().ok()?);
    let second = clock.next()?;
    let (second, fraction) = second.split_once('.').unwrap_or((second, ""));
    let second = second.parse::<i64>().ok()?;
    let offset = match zone {
        "Z" => 0,
        _ => {
            let (sign, zone) = zone.split_at_checked(1)?;
            let (hours, minutes) = zone.split_once(':')?;
            let minutes = hours
                .parse::<i64>()
                .ok()?
                .checked_mul(60)?
                .checked_add(minutes.parse::<i64>().ok()?)?;
            if sign == "-" { minutes.checked_neg()? } else { minutes }
        }
    };
    let in_range = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..=24).contains(&hour)
        && (0..=59).contains(&minute)
        && (0..=60).contains(&second)
        && (0..=9999).contains(&year);
    if !in_range {
        return None;
    }
    let days = days(year, month, day)?;
    let minutes = days.checked_mul(24)?.checked_add(hour)?.checked_mul(60)?.checked_add(minute)?;
    let seconds = minutes.checked_sub(offset)?.checked_mul(60)?.checked_add(second)?;
    let micros: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let us = seconds.checked_mul(1_000_000)?.checked_add(micros.parse().ok()?)?;
    Some(u64::try_from(us).unwrap_or(0))
}

/// Days since 1970 in the calendar of Gregory; years begin with March while it is counted.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let month = (month.checked_add(9)?).checked_rem(12)?;
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year =
        month.checked_mul(153)?.checked_add(2)?.checked_div(5)?.checked_add(day)?.checked_sub(1)?;
    let leaps = of_era.checked_div(4)?.checked_sub(of_era.checked_div(100)?)?;
    let days = of_era.checked_mul(365)?.checked_add(leaps)?.checked_add(of_year)?;
    era.checked_mul(146_097)?.checked_add(days)?.checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        let table = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2002-09-10T23:08:25Z", Some(1_031_699_305_000_000)),
            ("2002-09-10T23:08:25.5Z", Some(1_031_699_305_500_000)),
            ("2002-09-11T01:08:25+02:00", Some(1_031_699_305_000_000)),
            ("2002-09-10T21:08:25.000001-02:00", Some(1_031_699_305_000_001)),
            ("2000-02-29T00:00:00Z", Some(951_782_400_000_000)),
            ("1969-12-31T23:59:59Z", Some(0)),
            ("2002-13-10T23:08:25Z", None),
            ("2002-09-10 23:08:25Z", None),
            ("yesterday", None),
            ("2002-09-10T23:08:25", None),
        ];
        for (text, expected) in table {
            assert_eq!(time(text), expected, "{text}");
        }
    }

    fn archive() -> VecDeque<Kept> {
        let peer = |at: u64| if at.is_multiple_of(2) { "romeo@b/1" } else { "juliet@b" };
        (1..=9).map(|at| Kept { name: at * 10, entry: at, peer: peer(at).into() }).collect()
    }

    fn names(page: Page) -> (Vec<u64>, usize, bool) {
        let wish = Wish { page, ..Wish::default() };
        let found = wish.find(&archive(), |_| 1).unwrap();
        (found.kept.iter().map(|kept| kept.name).collect(), found.index, found.complete)
    }

    // XEP-0059 2.1 to 2.5.
    #[test]
    fn pages_forward_and_backward() {
        let max = Some(4);
        let page = Page { max, ..Page::default() };
        assert_eq!(names(page), (vec![10, 20, 30, 40], 0, false));
        let page = Page { max, after: Some(80), ..Page::default() };
        assert_eq!(names(page), (vec![90], 8, true));
        let page = Page { max, before: Some(None), ..Page::default() };
        assert_eq!(names(page), (vec![60, 70, 80, 90], 5, false));
        let page = Page { max, before: Some(Some(30)), ..Page::default() };
        assert_eq!(names(page), (vec![10, 20], 0, true));
        let page = Page { max, index: Some(7), ..Page::default() };
        assert_eq!(names(page), (vec![80, 90], 7, true));
        let page = Page { max: Some(0), ..Page::default() };
        assert_eq!(names(page), (vec![], 0, false));
    }

    #[test]
    fn a_page_has_an_end_in_bytes_too() {
        let names = |page: Page, size: usize| {
            let wish = Wish { page, ..Wish::default() };
            let found = wish.find(&archive(), |_| size).unwrap();
            (found.kept.iter().map(|kept| kept.name).collect::<Vec<_>>(), found.complete)
        };
        let third = PAGE_MAX_BYTES / 3;
        assert_eq!(names(Page::default(), third - 1), (vec![10, 20, 30], false));
        let last = Page { before: Some(None), ..Page::default() };
        assert_eq!(names(last, third - 1), (vec![70, 80, 90], false));
        assert_eq!(names(last, PAGE_MAX_BYTES * 2), (vec![90], false));
    }

    #[test]
    fn filters_and_names_that_are_not_there() {
        let with = Some(Jid::parse("romeo@b").unwrap());
        let wish = Wish { with, start: Some(30), end: Some(80), ..Wish::default() };
        let found = wish.find(&archive(), |_| 1).unwrap();
        let names: Vec<u64> = found.kept.iter().map(|kept| kept.name).collect();
        assert_eq!((names, found.count, found.complete), (vec![40, 60, 80], 3, true));
        let page = Page { after: Some(11), ..Page::default() };
        let wish = Wish { page, ..Wish::default() };
        assert_eq!(wish.find(&archive(), |_| 1).unwrap_err(), Wrong::NoSuch);
    }
}
