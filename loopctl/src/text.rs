//! Answers as text for a person, one kind of answer a file.

mod doctor;
pub mod journey;
pub mod plain;
