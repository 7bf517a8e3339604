//! Stories about the whole gateway, over real HTTP on loopback, with the store in a temporary folder.

<<<<<<< HEAD
mod access;
mod delivery;
=======
mod bad_input;
>>>>>>> w-bad
mod first_light;
mod guards;
mod house;
mod kept;
mod reading;
mod restart;
mod samples;
mod wire;
