mod answers;
mod queue;
mod surroundings;
