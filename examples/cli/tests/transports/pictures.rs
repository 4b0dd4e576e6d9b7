//! Clips whose every picture is another one and takes many packets; and the hashes of what was sent and stored.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::boxes::{boxes, incomplete};
use crate::support::hashes;

/// Pictures of a clip: 6 s.
const LENGTH: u32 = 150;
/// From key picture to key picture.
const GOP: usize = 25;

/// A clip, and the hash of each of its pictures.
pub(crate) struct Clip {
    pub(crate) path: PathBuf,
    /// As ffprobe calls it.
    pub(crate) codec: &'static str,
    sent: Vec<String>,
}

impl Clip {
    /// Of noise, so that no two pictures are alike: 1 Mb/s, H.264 in four slices a picture.
    fn make(dir: &Path, codec: &'static str, options: &[&str]) -> Self {
        let path = dir.join(format!("noise.{}", if codec == "h264" { "h264" } else { "h265" }));
        let source = "testsrc2=size=640x360:rate=25,noise=alls=30:allf=t";
        let status = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", source, "-frames:v", &LENGTH.to_string()])
            .args(["-pix_fmt", "yuv420p", "-preset", "ultrafast", "-bf", "0", "-g", "25", "-b:v", "1M"])
            .args(["-maxrate", "1M", "-bufsize", "500k"])
            .args(options)
            .arg(&path)
            .status();
        assert!(status.expect("ffmpeg").success(), "ffmpeg cannot make {}", path.display());
        let sent = hashes(&path);
        let mut all = sent.clone();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len() as u32, LENGTH, "pictures of {} that differ", path.display());
        Self { path, codec, sent }
    }

    /// H.264 and H.265.
    pub(crate) fn both(dir: &Path) -> [Self; 2] {
        let x265 = "log-level=error:keyint=25:min-keyint=25:open-gop=0:repeat-headers=1";
        [
            Self::make(dir, "h264", &["-c:v", "libx264", "-slices", "4"]),
            Self::make(dir, "hevc", &["-c:v", "libx265", "-x265-params", x265]),
        ]
    }

    /// The clip `times` over, for a server that is not to come to its end.
    pub(crate) fn repeated(&self, times: usize, to: &Path) {
        std::fs::write(to, std::fs::read(&self.path).unwrap().repeat(times)).unwrap();
    }

    /// The recording may end within a picture: takes that off, where the store's last file says that it is not whole.
    pub(crate) fn without_cut_end(&self, stored: &mut Vec<String>, last: &Path) -> bool {
        let file = std::fs::read(last).unwrap();
        let mut marks = boxes(&file).into_iter().filter_map(|(kind, body)| incomplete(kind, body));
        let cut =
            marks.next_back() == Some(true) && stored.last().is_some_and(|hash| !self.sent.contains(hash));
        if cut {
            stored.pop();
        }
        cut
    }

    /// On a busy machine GStreamer's server may begin within a key picture: takes off what refers to that, where the store's
    /// first file says that it is not whole. How many these are.
    pub(crate) fn without_cut_start(&self, stored: &mut Vec<String>, first: &Path) -> usize {
        let file = std::fs::read(first).unwrap();
        let mut marks = boxes(&file).into_iter().filter_map(|(kind, body)| incomplete(kind, body));
        if marks.next() != Some(true) {
            return 0;
        }
        let cut = stored.iter().take(GOP).take_while(|hash| !self.sent.contains(hash)).count();
        stored.drain(..cut);
        cut
    }

    /// Asserts that what is stored is what was sent, from some picture on: each once, in order, round and round.
    pub(crate) fn assert_stored(&self, name: &str, stored: &[String]) {
        let first = self.sent.iter().position(|hash| Some(hash) == stored.first());
        let first = first.unwrap_or_else(|| {
            let strange: Vec<_> = stored
                .iter()
                .enumerate()
                .filter(|(_, hash)| !self.sent.contains(hash))
                .map(|(i, _)| i)
                .collect();
            panic!("{name}: of {} pictures stored, these were never sent: {strange:?}", stored.len())
        });
        for (i, hash) in stored.iter().enumerate() {
            let place = (first + i) % self.sent.len();
            let is = self.sent.iter().position(|sent| sent == hash);
            assert_eq!(is, Some(place), "{name}: picture {i} of {}, the first is {first}", stored.len());
        }
    }
}
