//! The only place that talks to databases, brokers and object stores, and where keys live.
//!
//! Owns both sides of each seam: catalogue (`database`), bell (`queue`), objects (`blob_store`), keys (`vault`)
//! and time (`clock`); copies whole archives (`copying`); knows the order in which rows and keys change (`placing`) and
//! to which trace work belongs (`trace`). Refuses business rules and HTTP.
//! Start with `connect`, then `database`.

pub mod blob_store;
pub mod clock;
pub mod connect;
pub mod copying;
pub mod database;
pub mod digest;
pub mod error;
pub mod placing;
pub mod queue;
pub mod trace;
pub mod vault;
