//! Lists of operations: bytes as what happens to a machine, in any order.

mod damage;
mod govern;
mod player;
mod session;
mod store;

pub(crate) use damage::store_damage;
pub(crate) use govern::govern_ops;
pub(crate) use player::player_ops;
pub(crate) use session::session_ops;
pub(crate) use store::store_ops;
