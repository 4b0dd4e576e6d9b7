//! `vigie remux`.

use std::path::Path;
use std::process::ExitCode;

use bytes::BytesMut;
use serde_json::json;
use vigie::fragment::{Fragmenter, Piece};
use vigie::h26x::VideoFormat;
use vigie::limits::Limits;
use vigie::timeline::Group;
use vigie::view;
use vigie::view::export::{Fragmented, Patch};

use crate::args::{Remux, View};
use crate::explain::{self, bug};
use crate::failure::Failure;
use crate::input::Input;
use crate::moment::{count, show_bytes, show_span};
use crate::new_file::NewFile;
use crate::output::{Format, Progress};

pub(super) fn run(options: &Remux, format: Format) -> Result<ExitCode, Failure> {
    let limits = Limits::default();
    let mut input = Input::open(&options.input, options.sdp.as_deref(), &limits)?;
    let view = match options.view {
        View::Exact => view::View::Exact,
        View::Playback => view::View::Playback,
    };
    let progress = Progress::bytes(input.length(), "remuxing");
    let mut writer = Mp4::new(&options.output, view, &limits);
    let read = loop {
        match input.next_group() {
            Ok(Some(group)) => writer.group(group)?,
            Ok(None) => break Ok(()),
            Err(failure) => break Err(failure),
        }
        progress.at(input.position());
    };
    let written = writer.finish()?;
    progress.done();
    // A file that is cut off gives what is before the cut, and an error all the same.
    read?;
    let Some(written) = written else {
        return Err(Failure::new(
            format!("{} has no picture in it that can be decoded", options.input.display()),
            "check that the file is not cut off: a key picture and its parameter sets must be in it",
        ));
    };
    report(options, &input, &written, format)?;
    Ok(ExitCode::SUCCESS)
}

fn report(options: &Remux, input: &Input, written: &Written, format: Format) -> Result<(), Failure> {
    let Written { pictures, dropped, ticks, bytes, video } = written;
    let seconds = *ticks as f64 / 90_000.0;
    let mut text = format!(
        "{}: {} {}x{}, {}, {}, {}\n",
        options.output.display(),
        video.codec.name(),
        video.width,
        video.height,
        count(*pictures, "picture"),
        show_span((seconds * 1e6) as u64),
        show_bytes(*bytes),
    );
    text += &explain::layers(video);
    if *dropped > 0 {
        text += &format!("left out      {} that cannot be decoded\n", count(*dropped, "picture"));
    }
    if input.lost() > 0 {
        text += &format!("missing       {}\n", count(input.lost(), "RTP packet"));
    }
    text += &explain::quirk_lines(&input.quirks());
    let json = json!({
        "output": options.output, "input": input.kind().name(), "codec": video.codec.name(),
        "codec_string": video.codec_string, "width": video.width, "height": video.height, "layers": video.layers.name(),
        "pictures": pictures,
        "seconds": seconds, "bytes": bytes, "left_out": dropped, "lost_packets": input.lost(),
        "quirks": explain::quirks(&input.quirks()),
    });
    format.print(text, &json)
}

/// What was written.
pub(super) struct Written {
    pictures: u64,
    dropped: u64,
    ticks: u64,
    bytes: u64,
    video: VideoFormat,
}

/// A fragmented MP4 file in the making; it appears with the first picture.
pub(super) struct Mp4<'a> {
    path: &'a Path,
    file: Option<NewFile>,
    fragmenter: Fragmenter,
    movie: Fragmented,
    buffer: BytesMut,
    video: Option<VideoFormat>,
    /// Decoding time of the first picture, in the stream's own count.
    base: Option<i64>,
    pictures: u64,
    ticks: u64,
}

impl<'a> Mp4<'a> {
    pub(super) fn new(path: &'a Path, view: view::View, limits: &Limits) -> Self {
        Self {
            path,
            file: None,
            fragmenter: Fragmenter::new(limits),
            movie: Fragmented::new(view),
            buffer: BytesMut::new(),
            video: None,
            base: None,
            pictures: 0,
            ticks: 0,
        }
    }

    pub(super) fn group(&mut self, mut group: Group) -> Result<(), Failure> {
        // RTP timestamps start anywhere (RFC 3550 §5.1); a file starts at 0.
        let base = *self.base.get_or_insert(group.samples.first().map_or(0, |first| first.dts.0));
        for sample in &mut group.samples {
            (sample.dts, sample.pts) = (sample.dts.plus(-base), sample.pts.plus(-base));
        }
        self.fragmenter.push(group).map_err(|e| bug("the pictures cannot be put into an MP4", &e))?;
        while let Some(piece) = self.fragmenter.pull() {
            match piece {
                Piece::Init(init) => {
                    self.movie
                        .init(&init, &mut self.buffer)
                        .map_err(|e| bug("the pictures cannot be put into an MP4", &e))?;
                    if self.video.is_none() {
                        self.video = init.video().cloned();
                    }
                }
                Piece::Fragment(fragment) => {
                    self.movie
                        .fragment(&fragment, &mut self.buffer)
                        .map_err(|e| bug("the pictures cannot be put into an MP4", &e))?;
                    self.pictures += u64::from(fragment.samples);
                    self.ticks += fragment.duration;
                }
            }
        }
        self.write()
    }

    pub(super) fn finish(mut self) -> Result<Option<Written>, Failure> {
        let patch = self.movie.finish(&mut self.buffer);
        let Some(video) = self.video.take().filter(|_| self.pictures > 0) else { return Ok(None) };
        self.write()?;
        let mut bytes = 0;
        if let Some(mut file) = self.file {
            bytes = file.written();
            if let Some(Patch { offset, bytes }) = patch {
                file.patch(offset, &bytes)?;
            }
            file.finish()?;
        }
        let dropped = self.fragmenter.stats().dropped;
        Ok(Some(Written { pictures: self.pictures, dropped, ticks: self.ticks, bytes, video }))
    }

    fn write(&mut self) -> Result<(), Failure> {
        if self.buffer.is_empty() || self.pictures == 0 {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(NewFile::create(self.path)?),
        };
        file.write(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}
