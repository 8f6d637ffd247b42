//! Data forms (XEP-0004), as far as they are used here.

use wharf_xmpp::xml::{Element, element, text};

pub(crate) const FORMS: &str = "jabber:x:data";

/// Fields of one form, and values of one field, that are read.
const FIELDS_MAX: usize = 64;
const VALUES_MAX: usize = 1024;

/// A field of a form that was submitted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) values: Vec<String>,
}

/// The fields of a form.
pub(crate) fn read(form: &Element<'_>) -> Vec<Field> {
    let fields = form.children().filter(|child| child.is("field", FORMS)).take(FIELDS_MAX);
    let field = |field: Element<'_>| {
        let values = field.children().filter(|child| child.is("value", FORMS)).take(VALUES_MAX);
        let values = values.map(|value| value.text().into_owned()).collect();
        Some(Field { name: field.attribute("var")?.into_owned(), values })
    };
    fields.filter_map(field).collect()
}

/// The first value of a field.
pub(crate) fn value<'f>(form: &'f [Field], name: &str) -> Option<&'f str> {
    values(form, name).next()
}

/// Every value of a field.
pub(crate) fn values<'f>(form: &'f [Field], name: &str) -> impl Iterator<Item = &'f str> {
    let field = form.iter().find(|field| field.name == name);
    field.into_iter().flat_map(|field| field.values.iter().map(String::as_str))
}

/// A form to be filled in: fields by name, type and label.
pub(crate) fn write_form(
    out: &mut Vec<u8>,
    title: &str,
    form_type: &str,
    fields: &[(&str, &str, &str)],
) {
    element(out, "x", &[("xmlns", FORMS), ("type", "form")], |out| {
        element(out, "title", &[], |out| text(out, title));
        write_type(out, form_type);
        for (name, kind, label) in fields {
            let attributes = [("var", *name), ("type", *kind), ("label", *label)];
            element(out, "field", &attributes, |_| {});
        }
    });
}

/// A form that says something.
pub(crate) fn write_result(out: &mut Vec<u8>, form_type: &str, name: &str, values: &[String]) {
    element(out, "x", &[("xmlns", FORMS), ("type", "result")], |out| {
        write_type(out, form_type);
        element(out, "field", &[("var", name)], |out| {
            for value in values {
                element(out, "value", &[], |out| text(out, value));
            }
        });
    });
}

/// What a form is for (XEP-0068).
pub(crate) fn write_type(out: &mut Vec<u8>, form_type: &str) {
    element(out, "field", &[("var", "FORM_TYPE"), ("type", "hidden")], |out| {
        element(out, "value", &[], |out| text(out, form_type));
    });
}
