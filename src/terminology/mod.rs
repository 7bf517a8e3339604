//! Code systems, value sets and code tables: which codes there are, and what they mean elsewhere.

pub mod values;
