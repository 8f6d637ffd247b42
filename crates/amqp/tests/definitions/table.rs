//! Reads `definitions.txt`; its head says what stands where.

/// Everything in the table.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) encodings: Vec<Encoding>,
    pub(crate) restricted: Vec<Restricted>,
    pub(crate) described: Vec<Described>,
    pub(crate) composites: Vec<Composite>,
    pub(crate) constants: Vec<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct Encoding {
    pub(crate) of: String,
    pub(crate) code: u8,
    pub(crate) category: String,
    pub(crate) width: usize,
}

#[derive(Debug)]
pub(crate) struct Restricted {
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) choices: Vec<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) code: u64,
    pub(crate) symbol: String,
}

#[derive(Debug)]
pub(crate) struct Composite {
    pub(crate) name: String,
    pub(crate) code: u64,
    pub(crate) symbol: String,
    pub(crate) fields: Vec<Field>,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) of: String,
    pub(crate) mandatory: bool,
    pub(crate) multiple: bool,
    pub(crate) default: Option<String>,
}

impl Field {
    /// As the fields of Rust's structs are called.
    pub(crate) fn snake(&self) -> String {
        self.name.replace('-', "_")
    }
}

impl Table {
    pub(crate) fn read() -> Table {
        let mut table = Table::default();
        for line in include_str!("../definitions.txt").lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            table.line(&words);
        }
        table
    }

    fn line(&mut self, words: &[&str]) {
        let owned = |word: &&str| (*word).to_owned();
        match words {
            ["#", ..] | [] => {}
            ["encoding", of, code, category, width] => self.encodings.push(Encoding {
                of: owned(of),
                code: u8::try_from(hex(code)).expect("a code"),
                category: owned(category),
                width: width.parse().expect("a width"),
            }),
            ["restricted", name, source] => self.restricted.push(Restricted {
                name: owned(name),
                source: owned(source),
                choices: Vec::new(),
            }),
            ["choice", name, value] => {
                let restricted = self.restricted.last_mut().expect("a type above");
                restricted.choices.push((owned(name), owned(value)));
            }
            ["described", name, source, code, symbol] => self.described.push(Described {
                name: owned(name),
                source: owned(source),
                code: hex(code),
                symbol: owned(symbol),
            }),
            ["composite", name, code, symbol] => self.composites.push(Composite {
                name: owned(name),
                code: hex(code),
                symbol: owned(symbol),
                fields: Vec::new(),
            }),
            ["field", name, of, rest @ ..] => {
                let composite = self.composites.last_mut().expect("a type above");
                composite.fields.push(Field {
                    name: owned(name),
                    of: owned(of),
                    mandatory: rest.contains(&"mandatory"),
                    multiple: rest.contains(&"multiple"),
                    default: rest
                        .iter()
                        .find_map(|word| word.strip_prefix("default="))
                        .map(str::to_owned),
                });
            }
            ["constant", name, value] => self.constants.push((owned(name), owned(value))),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn restricted(&self, name: &str) -> Option<&Restricted> {
        self.restricted.iter().find(|restricted| restricted.name == name)
    }

    /// The primitive type below a restricted one.
    pub(crate) fn primitive<'t>(&'t self, of: &'t str) -> &'t str {
        match self.restricted(of) {
            Some(restricted) => self.primitive(&restricted.source),
            None => of,
        }
    }
}

fn hex(text: &str) -> u64 {
    u64::from_str_radix(text.strip_prefix("0x").expect("0x"), 16).expect("hexadecimal")
}
