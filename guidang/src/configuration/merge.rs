//! Laying a file and the environment over the defaults, key by key, so that every wrong key is named.

use toml::{Table, Value};

use super::ConfigurationError;

/// Sections whose keys the operator chooses; their values are texts.
const OPEN_SECTIONS: [&str; 2] = ["branches", "columns"];

/// Lays the keys of a file over `known`. `origin` names the file in errors.
pub(super) fn lay_file(known: &mut Table, file: Table, origin: &str) -> Result<(), ConfigurationError> {
    let names = known_keys(known);
    lay_table(known, file, "", &names, origin)
}

fn lay_table(
    known: &mut Table,
    given: Table,
    path: &str,
    names: &[String],
    origin: &str,
) -> Result<(), ConfigurationError> {
    for (name, value) in given {
        let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match (known.get_mut(&name), value) {
            (Some(Value::Table(section)), Value::Table(given)) => {
                lay_table(section, given, &key, names, origin)?;
            }
            (Some(slot), value) if slot.same_type(&value) => *slot = value,
            (Some(slot), value) => {
                return Err(ConfigurationError::Kind {
                    key,
                    origin: origin.to_owned(),
                    wanted: kind_of(slot),
                    given: kind_of(&value),
                });
            }
            (None, value @ Value::String(_)) if OPEN_SECTIONS.contains(&path) => {
                known.insert(name, value);
            }
            (None, _) => return Err(unknown(key, names, origin)),
        }
    }
    Ok(())
}

/// The key that a variable of the environment names: `GUIDANG_READING__ENGINE` is `reading.engine`. `None` for a
/// variable that is no key.
pub(super) fn key_of_variable(name: &str) -> Option<String> {
    let key = name.strip_prefix("GUIDANG_")?;
    key.contains("__").then(|| key.to_ascii_lowercase().replace("__", "."))
}

/// Lays one variable of the environment over `known`.
pub(super) fn lay_variable(known: &mut Table, variable: &str, text: &str) -> Result<(), ConfigurationError> {
    let Some(key) = key_of_variable(variable) else { return Ok(()) };
    let names = known_keys(known);
    if let Some((section, name)) = variable.strip_prefix("GUIDANG_").and_then(|rest| rest.split_once("__"))
        && let Some(Value::Table(open)) = known.get_mut(&section.to_ascii_lowercase())
        && OPEN_SECTIONS.contains(&section.to_ascii_lowercase().as_str())
    {
        open.insert(name.to_owned(), Value::String(text.to_owned()));
        return Ok(());
    }
    let slot =
        key.split_once('.').and_then(|(section, name)| known.get_mut(section)?.as_table_mut()?.get_mut(name));
    let Some(slot) = slot else { return Err(unknown(key, &names, variable)) };
    let wanted = kind_of(slot);
    let value = match slot {
        Value::String(_) => Some(Value::String(text.to_owned())),
        Value::Integer(_) => text.trim().parse().ok().map(Value::Integer),
        Value::Float(_) => text.trim().parse().ok().map(Value::Float),
        Value::Boolean(_) => text.trim().parse().ok().map(Value::Boolean),
        Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    };
    let Some(value) = value else {
        return Err(ConfigurationError::Kind {
            key,
            origin: variable.to_owned(),
            wanted,
            given: "another text",
        });
    };
    *slot = value;
    Ok(())
}

/// Every key, as `section.name`.
pub(super) fn known_keys(known: &Table) -> Vec<String> {
    let mut keys = Vec::new();
    for (section, value) in known {
        match value {
            Value::Table(names) => keys.extend(names.keys().map(|name| format!("{section}.{name}"))),
            _ => keys.push(section.clone()),
        }
    }
    keys
}

fn unknown(key: String, names: &[String], origin: &str) -> ConfigurationError {
    let nearest = nearest(&key, names);
    ConfigurationError::UnknownKey { key, origin: origin.to_owned(), nearest }
}

/// The key or section that was probably meant.
fn nearest(key: &str, names: &[String]) -> Option<String> {
    const LIKE: f64 = 0.8;
    let sections =
        names.iter().filter_map(|name| name.split_once('.')).map(|(section, _)| section.to_owned());
    let mut best = None;
    let mut best_likeness = LIKE;
    for name in names.iter().cloned().chain(sections) {
        let likeness = strsim::jaro_winkler(key, &name);
        // A key in the wrong section is the usual mistake.
        let same_name = key.rsplit('.').next() == name.rsplit('.').next() && name.contains('.');
        let likeness = if same_name { likeness.max(0.95) } else { likeness };
        if likeness > best_likeness {
            best_likeness = likeness;
            best = Some(name);
        }
    }
    best
}

const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text in quotation marks",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
    }
}
