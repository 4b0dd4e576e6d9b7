//! A recorder around the `retina` crate: pictures as they are, a GOP per write, one file per camera. No MP4, no index.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::StreamExt as _;
use retina::client::{PlayOptions, Session, SessionOptions, SetupOptions, TcpTransportOptions, Transport};
use retina::codec::{CodecItem, FrameFormat};

/// Records until the camera ends. Counts bytes and pictures.
///
/// # Errors
/// All that it fails by.
pub async fn record(
    url: String,
    file: PathBuf,
    bytes: &AtomicU64,
    pictures: &AtomicU64,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut file = File::create_new(file)?;
    let mut session = Session::describe(url.parse()?, SessionOptions::default()).await?;
    let setup = SetupOptions::default()
        .transport(Transport::Tcp(TcpTransportOptions::default()))
        .frame_format(FrameFormat::MP4);
    session.setup(0, setup).await?;
    let mut stream = session.play(PlayOptions::default()).await?.demuxed()?;
    let mut group = Vec::new();
    while let Some(item) = stream.next().await {
        let CodecItem::VideoFrame(frame) = item? else { continue };
        if frame.is_random_access_point() && !group.is_empty() {
            file.write_all(&group)?;
            file.sync_data()?;
            group.clear();
        }
        group.extend_from_slice(frame.data());
        bytes.fetch_add(frame.data().len() as u64, Ordering::Relaxed);
        pictures.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
