//! Whether the loop of this machine serves what its master says, by the answer that `where` gives as well.

use anyhow::{Error, Result};

use delivery::Delivery;
use machine::Place;

pub async fn delivery(place: &Place) -> Result<Delivery> {
    Delivery::of_the_loop(place.repository()?.coordinates()?).await
}

/// The image that all pods run.
pub async fn look(delivery: &Delivery) -> Result<String> {
    let image = delivery.image_in_git().await.map_err(Error::msg)?;
    delivery.serving().await.with_any_tag().live(&image).map_err(Error::msg)?;
    Ok(image)
}
