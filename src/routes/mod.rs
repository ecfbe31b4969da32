pub mod hello;
pub mod openapi;
pub mod version;
