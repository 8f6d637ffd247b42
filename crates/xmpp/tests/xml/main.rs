//! The reader of XML: what it refuses, what its view says, and the same as another reader says.

mod documents;
mod hostile;
mod oracle;
mod views;
mod writing;
