//! Laying a file and the environment over the defaults, key by key, so that every wrong key is named.

use archive_api::entries::Column;
use toml::{Table, Value};

use super::ConfigurationError;

/// Whether a section that has no keys of its own takes this one; its value is a text.
fn takes(section: &str, name: &str) -> bool {
    match section {
        "branches" => true,
        "columns" => Column::ALL.iter().any(|column| column.key() == name),
        _ => false,
    }
}

/// Variables that are no keys: they are read before any key is.
const NO_KEYS: [&str; 2] = ["GUIDANG_DATA", "GUIDANG_CONFIG"];

/// Whether Kubernetes gives a variable of this name to every container beside a service that is called `guidang`.
fn is_of_a_service(name: &str) -> bool {
    let rest = name.strip_prefix("GUIDANG_").unwrap_or(name);
    ["SERVICE_HOST", "SERVICE_PORT", "PORT"].iter().any(|word| {
        rest.strip_prefix(word)
            .is_some_and(|rest| rest.is_empty() || (*word != "SERVICE_HOST" && rest.starts_with('_')))
    })
}

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
            (None, value) if takes(path, &name) => {
                if !value.is_str() {
                    let wanted = "a text in quotation marks";
                    let given = kind_of(&value);
                    return Err(ConfigurationError::Kind { key, origin: origin.to_owned(), wanted, given });
                }
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
    let names = known_keys(known);
    let Some(key) = key_of_variable(variable) else { return refuse_stranger(variable, &names) };
    if let Some((section, name)) = open_key(variable)
        && let Some(Value::Table(open)) = known.get_mut(section)
    {
        open.insert(name, Value::String(text.to_owned()));
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

/// Section and key of a variable whose section has no keys of its own. Columns are called as in a file, branches by the
/// letters of their outlets as they are written.
fn open_key(variable: &str) -> Option<(&'static str, String)> {
    let (section, name) = variable.strip_prefix("GUIDANG_")?.split_once("__")?;
    let (section, name) = match section.to_ascii_lowercase().as_str() {
        "columns" => ("columns", name.to_ascii_lowercase()),
        "branches" => ("branches", name.to_owned()),
        _ => return None,
    };
    takes(section, &name).then_some((section, name))
}

/// A variable with our name that is no key is a mistake: left alone, the operator would believe that it holds.
fn refuse_stranger(variable: &str, names: &[String]) -> Result<(), ConfigurationError> {
    if NO_KEYS.contains(&variable) || is_of_a_service(variable) {
        return Ok(());
    }
    let of_key = |key: &String| key.to_ascii_uppercase().replace('.', "__");
    let known: Vec<String> =
        ["DATA", "CONFIG"].map(str::to_owned).into_iter().chain(names.iter().map(of_key)).collect();
    let given = variable.trim_start_matches("GUIDANG_");
    let same = known.iter().find(|name| name.replace("__", "_") == given).cloned();
    let nearest = same.or_else(|| nearest(given, &known)).map(|name| format!("GUIDANG_{name}"));
    Err(ConfigurationError::UnknownVariable { variable: variable.to_owned(), nearest })
}

/// Every key, as `section.name`.
pub(super) fn known_keys(known: &Table) -> Vec<String> {
    let mut keys: Vec<String> =
        Column::ALL.iter().map(|column| format!("columns.{}", column.key())).collect();
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
