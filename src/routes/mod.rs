use crate::server::environment::BadSetting;
use crate::server::startup::Startup;

/// Makes of each line the module, where it is a file of this folder, and the call of its `add`.
macro_rules! table_of_contents {
    ($($kind:tt $($part:ident)::+;)+) => {
        $(table_of_contents!(@ $kind $($part)::+);)+

        /// Adds every route, in this order.
        pub fn add_all(startup: &mut Startup) -> Result<(), BadSetting> {
            $($($part)::+::add(startup)?;)+
            Ok(())
        }
    };
    (@ mod $name:ident) => { pub mod $name; };
    (@ use $($part:ident)::+) => {};
}

// Every resource, a line each: `mod` for a file of this folder, `use` for a folder of its own. The description of the
// API, the labels of the metrics, the text of a 404 and `--help` follow from it.
table_of_contents! {
    // For users.
    mod hello;
    use crate::fibonacci;
    // For whoever asks what runs, and how to call it.
    mod version;
    mod openapi;
}

/// What the description says of the API as a whole, but for its version.
pub const ABOUT: &str = r#"{
  "title": "argo-rust",
  "description": "A small REST API that is delivered by its own repository. Every error is an RFC 9457 problem; a path that is none of these answers 404, a method other than GET and HEAD 405 with an Allow header."
}"#;
