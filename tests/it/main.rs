//! Stories about the whole gateway, over real HTTP on loopback, with the store in a temporary folder.

mod first_light;
mod house;
mod samples;
