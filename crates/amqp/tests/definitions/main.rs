//! Every type of the standard, driven by the table of its definitions (`tests/definitions.txt`).

mod codecs;
mod encodings;
mod samples;
mod table;

use codecs::{Decoded, codecs};
use samples::{Sample, camel, choice_value, default, sample, wrong};
use table::{Composite, Field, Table};
use wharf_amqp::condition::Condition;
use wharf_amqp::value::{Array, Kind, Value};

/// A composite as a value, with its symbolic descriptor or its numeric one.
fn composite_value(composite: &Composite, by_symbol: bool, fields: Vec<Value>) -> Vec<u8> {
    let descriptor = match by_symbol {
        true => Value::symbol(composite.symbol.as_str()),
        false => Value::Ulong(composite.code),
    };
    let mut out = Vec::new();
    Value::described(descriptor, Value::List(fields)).encode(&mut out);
    out
}

/// All fields by their samples, without the nulls at the end.
fn full(composite: &Composite, samples: &[Sample]) -> Vec<u8> {
    composite_value(composite, false, samples.iter().map(|sample| sample.value.clone()).collect())
}

/// Only the field at `place`, and those that must be there.
fn only(composite: &Composite, samples: &[Sample], place: usize, value: Value) -> Vec<Value> {
    let pairs = composite.fields.iter().zip(samples).enumerate();
    let values = pairs.map(|(at, (field, sample))| match at {
        _ if at == place => value.clone(),
        _ if field.mandatory => sample.value.clone(),
        _ => Value::Null,
    });
    let mut values: Vec<Value> = values.collect();
    while values.last() == Some(&Value::Null) {
        values.pop();
    }
    values
}

/// What the struct says of one of its fields.
fn shown<'d>(debug: &'d str, fields: &[Field], place: usize) -> &'d str {
    let label = |field: &Field| format!("{}: ", field.snake());
    // Structs may be nested, and then names come more than once: they are looked for in order.
    let mut at = 0;
    for field in &fields[..=place] {
        let label = label(field);
        match debug[at..].find(&label) {
            Some(found) => at += found + label.len(),
            // Rejected holds its one field without a name.
            None => {
                assert!(fields.len() == 1 && debug.starts_with("Rejected"), "no {label}in {debug}")
            }
        }
    }
    let end =
        fields.get(place + 1).and_then(|next| debug[at..].find(&format!(", {}", label(next))));
    &debug[at..end.map_or(debug.len(), |end| at + end)]
}

fn each_composite(check: impl Fn(&Table, &Composite, &[Sample])) {
    let table = Table::read();
    assert_eq!(table.composites.len(), 33);
    for composite in &table.composites {
        let fields = composite.fields.iter().enumerate();
        let samples: Vec<Sample> =
            fields.map(|(place, field)| sample(&table, field, place)).collect();
        check(&table, composite, &samples);
    }
}

fn decode_all(composite: &Composite, octets: &[u8]) -> Vec<Decoded> {
    codecs(&composite.name).iter().map(|decode| decode(octets)).collect()
}

fn refused(composite: &Composite, octets: &[u8]) -> Vec<&'static str> {
    let decoded = decode_all(composite, octets).into_iter();
    decoded.map(|decoded| decoded.expect_err(&composite.name).field).collect()
}

fn accepted(composite: &Composite, octets: &[u8]) -> (String, Vec<u8>) {
    let mut decoded = decode_all(composite, octets).into_iter().map(|decoded| {
        decoded.unwrap_or_else(|error| panic!("{}: {error}: {octets:x?}", composite.name))
    });
    let first = decoded.next().expect("a codec");
    assert!(decoded.all(|(_, again)| again == first.1), "{}", composite.name);
    first
}

#[test]
fn descriptors_and_all_fields_go_both_ways() {
    each_composite(|_, composite, samples| {
        let octets = full(composite, samples);
        let (debug, again) = accepted(composite, &octets);
        assert_eq!(again, octets, "{debug}");
        let values = samples.iter().map(|sample| sample.value.clone()).collect();
        let (_, by_symbol) = accepted(composite, &composite_value(composite, true, values));
        assert_eq!(by_symbol, octets, "{debug}");
    });
}

#[test]
fn each_field_has_its_place_and_name() {
    each_composite(|_, composite, samples| {
        for (place, sample) in samples.iter().enumerate() {
            let fields = only(composite, samples, place, sample.value.clone());
            let octets = composite_value(composite, false, fields);
            let (debug, again) = accepted(composite, &octets);
            assert_eq!(again, octets, "{debug}");
            let shown = shown(&debug, &composite.fields, place);
            assert!(shown.contains(&sample.shown), "{} is not in {shown}: {debug}", sample.shown);
        }
    });
}

#[test]
fn what_is_mandatory_must_be_there_and_the_rest_need_not() {
    each_composite(|_, composite, samples| {
        for (place, field) in composite.fields.iter().enumerate() {
            let mut values: Vec<Value> = samples.iter().map(|it| it.value.clone()).collect();
            values[place] = Value::Null;
            let octets = composite_value(composite, false, values.clone());
            let name = format!("{}.{}", composite.name, field.snake());
            if !field.mandatory {
                let (_, again) = accepted(composite, &octets);
                while values.last() == Some(&Value::Null) {
                    values.pop();
                }
                assert_eq!(again, composite_value(composite, false, values), "{name}");
                continue;
            }
            assert!(refused(composite, &octets).iter().all(|field| *field == name), "{name}");
            values.truncate(place);
            let octets = composite_value(composite, false, values);
            assert!(refused(composite, &octets).iter().all(|field| *field == name), "{name}");
        }
    });
}

#[test]
fn a_default_is_what_an_absent_field_means_and_is_not_written() {
    each_composite(|table, composite, samples| {
        for (place, field) in composite.fields.iter().enumerate() {
            let Some(value) = default(table, field) else { continue };
            let absent = only(composite, samples, place, Value::Null);
            let absent = accepted(composite, &composite_value(composite, false, absent));
            let said = only(composite, samples, place, value);
            let said = accepted(composite, &composite_value(composite, false, said));
            assert_eq!(said, absent, "{}.{}", composite.name, field.name);
        }
    });
}

#[test]
fn fields_of_a_wrong_type_and_too_many_are_refused() {
    each_composite(|_, composite, samples| {
        for (place, field) in composite.fields.iter().enumerate() {
            let Some(value) = wrong(field) else { continue };
            let fields = only(composite, samples, place, value);
            let name = format!("{}.{}", composite.name, field.snake());
            let found = refused(composite, &composite_value(composite, false, fields));
            assert!(found.iter().all(|field| *field == name), "{name}: {found:?}");
        }
        let mut values: Vec<Value> = samples.iter().map(|sample| sample.value.clone()).collect();
        values.push(Value::Null);
        refused(composite, &composite_value(composite, false, values));
    });
}

#[test]
fn several_values_may_be_one_or_none() {
    // AMQP 1.4: null and an array without elements say the same; one value may stand alone.
    each_composite(|_, composite, samples| {
        for (place, field) in composite.fields.iter().enumerate().filter(|(_, it)| it.multiple) {
            let with =
                |value| composite_value(composite, false, only(composite, samples, place, value));
            let one = Array::of_symbols(["one".to_owned()]);
            let alone = accepted(composite, &with(Value::symbol("one")));
            assert_eq!(accepted(composite, &with(Value::Array(Box::new(one)))), alone);
            let none = Array::new(Kind::Symbol, Vec::new()).expect("an array");
            let none = with(Value::Array(Box::new(none)));
            match field.mandatory {
                true => assert!(!refused(composite, &none).is_empty()),
                false => {
                    assert_eq!(accepted(composite, &none), accepted(composite, &with(Value::Null)))
                }
            }
        }
    });
}

#[test]
fn every_choice_is_known_by_its_name() {
    let mut seen = 0;
    each_composite(|table, composite, samples| {
        for (place, field) in composite.fields.iter().enumerate() {
            let Some(restricted) = table.restricted(&field.of) else { continue };
            for (name, value) in &restricted.choices {
                let value = choice_value(&restricted.source, value);
                let fields = only(composite, samples, place, value);
                let (debug, _) = accepted(composite, &composite_value(composite, false, fields));
                let shown = shown(&debug, &composite.fields, place);
                assert!(shown.contains(&camel(name)), "{name} is not in {shown}");
            }
            let unknown = match restricted.source.as_str() {
                "ubyte" => Value::Ubyte(restricted.choices.len() as u8),
                "uint" => Value::Uint(restricted.choices.len() as u32),
                _ => Value::symbol("no-choice"),
            };
            if !restricted.choices.is_empty() {
                let fields = only(composite, samples, place, unknown);
                refused(composite, &composite_value(composite, false, fields));
            }
        }
    });
    let table = Table::read();
    let modes = table.restricted("std-dist-mode").expect("modes");
    for (name, value) in &modes.choices {
        let mode = wharf_amqp::messaging::DistributionMode::from(value.as_str());
        assert_eq!((format!("{mode:?}"), mode.as_str()), (camel(name), value.as_str()));
        seen += 1;
    }
    let capabilities = table.restricted("txn-capability").expect("capabilities");
    for (name, value) in &capabilities.choices {
        let capability = wharf_amqp::transaction::Capability::from_symbol(value).expect("known");
        assert_eq!((format!("{capability:?}"), capability.as_str()), (camel(name), value.as_str()));
        seen += 1;
    }
    assert_eq!(seen, 7);
}

#[test]
fn every_error_condition_is_known() {
    let table = Table::read();
    let mut symbols = Vec::new();
    for name in
        ["amqp-error", "connection-error", "session-error", "link-error", "transaction-error"]
    {
        symbols.extend(&table.restricted(name).expect(name).choices);
    }
    assert_eq!(Condition::STANDARD.len(), symbols.len());
    for (condition, (_, symbol)) in Condition::STANDARD.iter().zip(symbols) {
        assert_eq!(condition.as_str(), symbol);
        assert_eq!(Condition::from(symbol.as_str()), *condition);
        assert_eq!(symbol.parse(), Ok(condition.clone()));
    }
    assert_eq!(Condition::from("x:other"), Condition::Other("x:other".to_owned()));
}
