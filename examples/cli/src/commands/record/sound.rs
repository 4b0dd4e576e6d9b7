//! The camera's sound, where it was asked for: a recording of its own beside that of the pictures.

use std::time::Duration;

use vigie::depacket::AudioUnit;
use vigie::limits::Limits;
use vigie::rtp::rtcp::SenderReport;
use vigie::store::{Cause, Source};
use vigie_net::Clock;
use vigie_net::inbox::Message;

use super::keeper::{Keeper, Kept};
use crate::args::Record;
use crate::explain;
use crate::failure::Failure;
use crate::stores::Places;

/// Records the sound. Its part of the store is made when the first of it comes.
pub(super) struct Sound {
    places: Places,
    source: Source,
    clock: Clock,
    limits: Limits,
    rpo: Duration,
    keeper: Option<Keeper>,
    /// What the camera said of the clock before the first sound.
    report: Option<SenderReport>,
}

impl Sound {
    /// # Errors
    /// The camera's name is too long to have one for its sound made of it.
    pub(super) fn of(
        options: &Record,
        places: &Places,
        source: &Source,
        clock: Clock,
        limits: Limits,
    ) -> Result<Self, Failure> {
        let source =
            source.audio().map_err(|e| explain::store("record sound into", &places.stores().name(), &e))?;
        Ok(Self {
            places: places.clone(),
            source,
            clock,
            limits,
            rpo: options.rpo,
            keeper: None,
            report: None,
        })
    }

    pub(super) async fn take(&mut self, unit: AudioUnit) -> Result<(), Failure> {
        let keeper = match &self.keeper {
            Some(keeper) => keeper,
            None => {
                let keeper =
                    Keeper::open(self.places.clone(), self.source, self.clock, self.limits, self.rpo).await?;
                if let Some(report) = self.report.take() {
                    keeper.send(Message::Report(report));
                }
                self.keeper.insert(keeper)
            }
        };
        keeper.send(Message::Plain(unit.into()));
        Ok(())
    }

    pub(super) async fn report(&mut self, report: SenderReport) {
        match &self.keeper {
            Some(keeper) => keeper.send(Message::Report(report)),
            None => self.report = Some(report),
        }
    }

    pub(super) async fn interrupted(&self, cause: Cause, code: u16) {
        if let Some(keeper) = &self.keeper {
            keeper.send(Message::Interrupted(cause, code));
        }
    }

    /// What was kept; `None` where there was no sound.
    ///
    /// # Errors
    /// The store failed, and has not come back.
    pub(super) async fn finish(self) -> Result<Option<Kept>, Failure> {
        match self.keeper {
            Some(keeper) => keeper.finish().await.map(Some),
            None => Ok(None),
        }
    }
}
