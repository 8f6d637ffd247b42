//! How an MBWS client says what it wants to receive, which its draft leaves to the broker
//! (MBWS-076, MBWS-A25): `?address=orders&address=news` on the upgrade URL, or at any time a
//! message to `wharf/consume` or `wharf/cancel`. Documented in `docs/protocols/mbws.md`.

use crate::limits::QUERY_ADDRESSES_MAX;
use wharf_mbws::LengthUnit;

/// A message to this address begins to consume.
pub(crate) const CONSUME_ADDRESS: &str = "wharf/consume";
/// A message to this address stops consuming.
pub(crate) const CANCEL_ADDRESS: &str = "wharf/cancel";

/// A wish to receive.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Wish {
    pub(crate) addresses: Vec<String>,
    pub(crate) subscription: Option<String>,
    /// 0 where none was named.
    pub(crate) credit: u32,
}

/// What the query of an upgrade URL says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Query {
    pub(crate) wish: Wish,
    pub(crate) unit: LengthUnit,
}

/// Why a wish cannot be understood; fit for the reason of a Close.
pub(crate) type Unclear = &'static str;

impl Query {
    pub(crate) fn parse(query: &str) -> Result<Self, Unclear> {
        let mut parsed = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if name == "unit" {
                // MBWS-A01: what string lengths count is the endpoint's choice.
                parsed.unit = match value.as_ref() {
                    "code-points" => LengthUnit::CodePoints,
                    "octets" => LengthUnit::Octets,
                    "utf16" => LengthUnit::Utf16,
                    _ => return Err("unit is code-points, octets or utf16"),
                };
            } else {
                parsed.wish.read(&name, &value)?;
            }
        }
        if parsed.wish.addresses.len() > QUERY_ADDRESSES_MAX {
            return Err("too many addresses in the URL");
        }
        Ok(parsed)
    }
}

impl Wish {
    /// The wish of a message to `wharf/consume` or `wharf/cancel`.
    pub(crate) fn from_properties<'a>(
        properties: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Unclear> {
        let mut wish = Self::default();
        for (name, value) in properties {
            wish.read(name, value)?;
        }
        if wish.addresses.is_empty() { Err("the property address is missing") } else { Ok(wish) }
    }

    /// Other names are passed over: MBWS gives properties no meaning.
    fn read(&mut self, name: &str, value: &str) -> Result<(), Unclear> {
        match name {
            "address" => self.addresses.push(value.to_owned()),
            "subscription" => self.subscription = Some(value.to_owned()),
            "credit" => {
                let credit = value.parse().ok().filter(|credit| *credit > 0);
                self.credit = credit.ok_or("credit is a number above 0")?;
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_addresses_credit_and_unit() {
        let query = Query::parse("address=a%2Fb&address=c+d&credit=5&unit=utf16&x=y").unwrap();
        assert_eq!(query.wish.addresses, ["a/b", "c d"]);
        assert_eq!(query.wish.credit, 5);
        assert_eq!(query.unit, LengthUnit::Utf16);
    }

    #[test]
    fn nonsense_is_named() {
        assert!(Query::parse("credit=0").is_err());
        assert!(Query::parse("credit=many").is_err());
        assert!(Query::parse("unit=bytes").is_err());
        assert!(Query::parse(&"address=a&".repeat(65)).is_err());
        assert!(Wish::from_properties([("credit", "5")].into_iter()).is_err());
    }
}
