//! The pieces that a document consists of.

pub enum Piece<'a> {
    Heading(&'a str),
    Mark(&'a str),
    Paragraph(Vec<&'a str>),
    Block { language: &'a str, text: String },
}

/// With the number of the line that each begins on.
pub fn pieces(document: &str) -> Vec<(usize, Piece<'_>)> {
    let mut pieces = Vec::new();
    let mut lines = document.lines().zip(1..).peekable();
    while let Some((text, line)) = lines.next() {
        if let Some(language) = text.trim_start().strip_prefix("```") {
            let inside = lines.by_ref().map(|(text, _)| text).take_while(|text| text.trim() != "```");
            let text = inside.map(|line| format!("{line}\n")).collect();
            pieces.push((line, Piece::Block { language: language.trim(), text }));
        } else if let Some(mark) = text.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")) {
            pieces.push((line, Piece::Mark(mark)));
        } else if text.starts_with('#') {
            pieces.push((line, Piece::Heading(text.trim_start_matches(['#', ' ']))));
        } else if !text.is_empty() {
            let mut paragraph = vec![text];
            while let Some((text, _)) =
                lines.next_if(|(text, _)| !text.is_empty() && !text.starts_with(['`', '<', '#']))
            {
                paragraph.push(text);
            }
            pieces.push((line, Piece::Paragraph(paragraph)));
        }
    }
    pieces
}

/// Each command behind `$ ` with the lines below it.
pub fn exchanges(text: &str) -> Vec<(String, String)> {
    let mut exchanges: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("$ "), exchanges.last_mut()) {
            (Some(command), _) => exchanges.push((command.to_owned(), String::new())),
            (None, Some((_, answer))) => {
                answer.push_str(line);
                answer.push('\n');
            }
            (None, None) => {}
        }
    }
    exchanges
}
