// In place of modules that rhea needs only to read its settings from a file.
export default {};
