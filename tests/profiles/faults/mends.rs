//! JSON Patch (RFC 6902), as far as an issue's mend uses it.

use serde_json::Value;
use stile::issue::{Mend, Operation};

/// The value with the patch applied; none when it cannot be.
pub fn mended(value: &Value, mend: &Mend) -> Option<Value> {
    let mut value = value.clone();
    for operation in &mend.0 {
        match operation {
            Operation::Add { path, value: added } => add(&mut value, path, added.clone())?,
            Operation::Remove { path } => _ = remove(&mut value, path)?,
            Operation::Replace { path, value: other } => *value.pointer_mut(path)? = other.clone(),
            Operation::Move { from, path } => {
                let moved = remove(&mut value, from)?;
                add(&mut value, path, moved)?;
            }
        }
    }
    Some(value)
}

fn add(value: &mut Value, path: &str, added: Value) -> Option<()> {
    let (holder, name) = split(path)?;
    match value.pointer_mut(&holder)? {
        Value::Object(members) => _ = members.insert(name, added),
        Value::Array(items) if name == "-" => items.push(added),
        Value::Array(items) => {
            let place = name.parse().ok().filter(|place| *place <= items.len())?;
            items.insert(place, added);
        }
        _ => return None,
    }
    Some(())
}

fn remove(value: &mut Value, path: &str) -> Option<Value> {
    let (holder, name) = split(path)?;
    match value.pointer_mut(&holder)? {
        Value::Object(members) => members.shift_remove(&name),
        Value::Array(items) => {
            name.parse().ok().filter(|place| *place < items.len()).map(|place: usize| items.remove(place))
        }
        _ => None,
    }
}

fn split(path: &str) -> Option<(String, String)> {
    let (holder, name) = path.rsplit_once('/')?;
    Some((holder.to_owned(), name.replace("~1", "/").replace("~0", "~")))
}
