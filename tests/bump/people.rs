//! The people who push in the rounds, and what they know: the image's inputs as they stand and as they stood.

use crate::history::{Inputs, Pushed};
use crate::world::World;

pub struct People {
    pub pushed: Vec<Pushed>,
    inputs: Inputs,
    before: Vec<Inputs>,
    count: usize,
}

impl People {
    pub fn new(world: &World) -> People {
        let paths = ["Dockerfile", "Cargo.lock", "src/main.rs"];
        let inputs: Inputs = paths.into_iter().map(|path| (path, String::new())).collect();
        let mut people = People { pushed: Vec::new(), inputs, before: Vec::new(), count: 0 };
        let commit = people.write_inputs(world);
        people.remember(commit);
        people
    }

    /// One push: a change of code, of a document or of the manifest, or a revert of the last change of code.
    pub fn push(&mut self, world: &World, dice: &mut fastrand::Rng) -> String {
        let commit = match dice.u8(0..10) {
            0..=4 => return self.push_code(world, dice),
            5 | 6 => world.push(&[("README.md", Some(&self.fresh()))]),
            7 => {
                let comment = format!("\n# {}spec:", self.fresh());
                world.push_manifest(|manifest| manifest.replacen("\nspec:", &comment, 1))
            }
            _ => {
                self.inputs = self.before.pop().unwrap_or_else(|| self.inputs.clone());
                self.write_inputs(world)
            }
        };
        self.remember(commit)
    }

    pub fn push_code(&mut self, world: &World, dice: &mut fastrand::Rng) -> String {
        let path = *dice.choice(self.inputs.keys()).expect("there are inputs");
        let content = self.fresh();
        self.before.push(self.inputs.clone());
        self.inputs.insert(path, content.clone());
        let commit = world.push(&[(path, Some(&content))]);
        self.remember(commit)
    }

    /// Takes note that `commit` has the inputs as they stand; a bump is such a commit too.
    pub fn remember(&mut self, commit: String) -> String {
        self.pushed.push(Pushed { commit: commit.clone(), inputs: self.inputs.clone() });
        commit
    }

    fn write_inputs(&self, world: &World) -> String {
        let edits: Vec<_> = self.inputs.iter().map(|(path, content)| (*path, Some(content.as_str()))).collect();
        world.push(&edits)
    }

    fn fresh(&mut self) -> String {
        self.count += 1;
        format!("content {}\n", self.count)
    }
}
