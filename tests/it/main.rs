//! Stories about the whole gateway, over real HTTP on loopback, with the store in a temporary folder.

mod bad_input;
mod first_light;
mod house;
mod samples;
