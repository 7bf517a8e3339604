//! Code systems, value sets and code tables: which codes there are, and what they mean elsewhere.

pub mod tables;
pub mod values;
