//! Code systems, value sets and code tables: which codes there are, and what they mean elsewhere.

mod algebra;
mod compose;
pub mod definition;
mod draft;
mod filter;
pub mod forms;
mod lists;
pub mod systems;
pub mod tables;
#[cfg(test)]
mod tests;
mod ucum;
pub mod values;
