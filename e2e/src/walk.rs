//! A stranger who does what the documents say, letter by letter, and writes down what came of each block.

mod compiled;
pub mod docker;
pub mod document;
pub mod edit;
pub mod reader;
pub mod terminal;
#[cfg(test)]
mod tests;

use std::time::Instant;

use anyhow::{Result, bail};

use self::document::{Does, Step};
use self::reader::Reader;
use crate::wait::seconds;

/// What became of a step.
enum Became {
    Walked,
    Covered(String),
    Cannot(String),
}

/// Does everything that the document asks for, in its order. `log` gets a line for each block and edit.
pub fn walk(reader: &mut Reader, name: &str, document: &str, log: &mut dyn FnMut(String)) -> Result<()> {
    let steps = document::steps(document, |file| reader.clone.join(file).exists());
    for Step { line, shows, does } in steps {
        let place = format!("{name}:{line}");
        if does == Does::Heading {
            reader.leave_what_serves().map_err(|error| error.context(place))?;
            continue;
        }
        let begin = Instant::now();
        let became = step(reader, does).map_err(|error| error.context(format!("{place}: {shows}")))?;
        let what = match became {
            Became::Walked => format!("walked, {}", seconds(begin.elapsed())),
            Became::Covered(by) => format!("covered by {by}"),
            Became::Cannot(why) => format!("not here: {why}"),
        };
        log(format!("{place:<22} {what}: {}", shows.trim()));
    }
    reader.leave_what_serves()
}

fn step(reader: &mut Reader, does: Does) -> Result<Became> {
    match does {
        Does::Run { how, .. } | Does::Answer { how, .. } if how.docker && reader.docker.is_err() => {
            let why = reader.docker.as_ref().err().cloned().unwrap_or_default();
            return Ok(Became::Cannot(why));
        }
        Does::Run { commands, how } => reader.run(&commands, &how)?,
        Does::Answer { exchanges, how } => {
            for (command, expected) in exchanges {
                reader.compare(&command, &expected, &how)?;
            }
        }
        Does::Write { file, text } => reader.write(&file, &text)?,
        Does::Change { file, diff } => reader.change(&file, &diff)?,
        Does::Proof(name) => return Ok(Became::Covered(format!("the proof {name}"))),
        Does::Transcript(name) => return Ok(Became::Covered(format!("loopctl's own test of the transcript {name}"))),
        Does::NotHere(why) => return Ok(Became::Cannot(why)),
        Does::Nothing(what) => bail!(what),
        Does::Heading => {}
    }
    Ok(Became::Walked)
}
