use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::results::{Figure, Results};

const MEASURE: &str = "CPU, 32 connections";
const WIDTH: u32 = 800;
const ROW: u32 = 44;
const OURS: RGBColor = RGBColor(222, 98, 38);
const OTHERS: RGBColor = RGBColor(110, 135, 160);

/// A bar for each server, with what it is to the bare loop; None before it was measured.
pub fn cpu_by_server(results: &Results) -> Result<Option<String>> {
    let Some(http) = results.parts.get("http") else { return Ok(None) };
    let figures: Vec<&Figure> = http.figures.iter().filter(|figure| figure.measure == MEASURE).collect();
    let most = figures.iter().map(|figure| figure.spread.median).fold(0.0, f64::max);
    let mut svg = String::new();
    {
        let height = 60 + ROW * figures.len() as u32;
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        area.fill(&WHITE)?;
        let title = "CPU of the server for each request, µs (in brackets: × bare epoll loop)";
        area.draw(&Text::new(title, (16, 18), ("sans-serif", 18).into_font().color(&BLACK)))?;
        let label = |horizontal| {
            let style = TextStyle::from(("sans-serif", 16).into_font()).color(&BLACK);
            style.pos(Pos::new(horizontal, VPos::Center))
        };
        for (row, figure) in figures.iter().enumerate() {
            let top = 52 + (ROW * row as u32) as i32;
            let middle = top + ROW as i32 / 2 - 5;
            let end = 200 + (430.0 * figure.spread.median / most) as i32;
            let colour = if figure.of.starts_with("argo-rust") { OURS } else { OTHERS };
            area.draw(&Rectangle::new([(200, top), (end, top + ROW as i32 - 12)], colour.filled()))?;
            area.draw(&Text::new(figure.of.as_str(), (190, middle), label(HPos::Right)))?;
            let ratio = figure.to_epoll.map_or_else(String::new, |ratio| format!(" ({:.2})", ratio.median));
            let text = format!("{:.1}{ratio}", figure.spread.median);
            area.draw(&Text::new(text, (end + 10, middle), label(HPos::Left)))?;
        }
        area.present()?;
    }
    Ok(Some(svg))
}
