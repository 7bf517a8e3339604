//! Stories about the whole gateway, over real HTTP on loopback, with the store in a temporary folder.

mod access;
mod bad_input;
mod bodies;
mod canary;
mod delivery;
mod first_light;
mod guards;
mod house;
mod kept;
mod national;
mod reading;
mod restart;
mod samples;
mod wire;
mod word;
