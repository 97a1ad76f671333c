//! Retraining and calibration for the workbench: what `train`, `collect` and `calibrate` do, with news
//! instead of bars.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Bureau;
use crate::cli::calibrate::{aim, calibrate};
use crate::cli::options::fresh;
use crate::cli::tasks::{sample, unseen};
use crate::cli::{memory, policies};
use crate::config::{Glimpse, Preset, load_preset};
use crate::engine::{Evidence, Flow};
use crate::episode::Episode;
use crate::evaluation::{Estimate, Log, Logged};
use crate::routing::{FeatureSet, Pair, Policy, Roster, Target};
use crate::session::{Fleet, SessionError, load_fleet};
use crate::tasks::arithmetic::Split;
use crate::training::{
    Dataset, Plan, Settings, Trajectory, collect, contest, exploring, logged, train,
};
use crate::workbench::{
    Beside, COLLECTED, Chosen, Doing, Lesson, Message, Newcomer, News, Reached,
};

/// One episode in so many is kept from a training, to judge what came of it.
const JUDGED: u64 = 5;
/// Costs at which policies are compared, as shares of all-large's.
const SHARES: [f64; 5] = [0.2, 0.4, 0.6, 0.8, 1.0];
/// Farther from such a cost nothing is told of it.
const NEAR: f64 = 0.08;
/// Questions of a contest.
const CONTEST: usize = 100;
/// Questions of a calibration.
const CALIBRATED: usize = 300;
/// What a calibration promises: at most 5 % of questions are lost, with confidence 95 %.
const ACCURACY: f64 = 0.95;
const CONFIDENCE: f64 = 0.95;
/// Probability of a coin's choice while episodes are collected: with a policy, and without one, where random
/// thresholds alone would make a choice certain once its step is known.
const COIN: f64 = 0.2;
const BLIND_COIN: f64 = 0.5;

impl Bureau {
    /// Does what [`crate::workbench::Errand::Learn`] asks for.
    pub(super) fn learn(
        &self,
        lesson: Lesson,
        preset: &Preset,
        pair: &Pair,
        newcomer: Option<&Newcomer>,
        tell: &dyn Fn(Message),
    ) {
        self.cancelled.store(false, Ordering::Relaxed);
        let say = |done: usize, of: usize, text: String| {
            tell(Message::School(News::Progress(Doing { what: lesson, done, of, text })));
        };
        let news = match lesson {
            Lesson::Train => self.train(preset, pair, &say).map(News::Trained),
            Lesson::Collect => self.collect(preset, &say).map(News::Over),
            Lesson::Calibrate => self.calibrate(preset, &say).map(News::Over),
            Lesson::Contest => self.contest(preset, newcomer, &say),
            Lesson::Promote | Lesson::Discard | Lesson::RollBack => return,
        };
        tell(Message::School(news.unwrap_or_else(|error| News::Failed(error.to_string()))));
    }

    fn goes_on(&self) -> bool {
        !self.cancelled.load(Ordering::Relaxed)
    }

    fn flow(&self) -> Flow {
        if self.goes_on() { Flow::Continue } else { Flow::Cancel }
    }

    fn train(
        &self,
        preset: &Preset,
        pair: &Pair,
        say: &dyn Fn(usize, usize, String),
    ) -> anyhow::Result<Arc<Newcomer>> {
        let set = FeatureSet::full(preset.routing.glimpse.unwrap_or(Glimpse::Step));
        let set = set.known_from(Evidence::of(&preset.small));
        let all = self.store.len();
        let mut read = 0;
        let mut dataset = Dataset::read(&self.store, pair, &set, || {
            read += 1;
            if read % 100 == 0 {
                say(read, all, "reading the store".into());
            }
        })?;
        let kept = |t: &Trajectory| !Logged::question_id(&t.question).is_multiple_of(JUDGED);
        let (learnt, judged): (Vec<Trajectory>, Vec<Trajectory>) =
            dataset.trajectories.drain(..).partition(kept);
        dataset.intake.used = learnt.len();
        dataset.trajectories = learnt;
        let left = dataset.intake;
        let settings = Settings { seed: self.seed, ..Settings::default() };
        let mut policy = train(&dataset, &set, &settings, |now| {
            say(
                now.round,
                now.rounds,
                format!(
                    "{} episodes; left out: {} in which you chose, {} forks, {} others · loss {:.3} · expects {:.1} % right at {:.0} % of the cost",
                    left.used,
                    left.person,
                    left.forks,
                    left.ungraded + left.unweighed + left.other_models,
                    now.loss,
                    100.0 * now.accuracy,
                    100.0 * now.cost
                ),
            );
            self.goes_on()
        })?;
        anyhow::ensure!(self.goes_on(), "the training was cancelled; nothing was kept");
        let number = policies::keep(&self.store, &preset.name, pair, &mut policy)?;
        let champion = self.policy_at_hand();
        let unit = policy.card.cost_unit;
        let newcomers = log(&judged, &policy)?;
        // Another feature set reads other rows.
        let champion = champion.filter(|champion| champion.card.set == policy.card.set);
        let champions = champion.as_deref().map(|c| Ok::<_, anyhow::Error>((log(&judged, c)?, c)));
        let champions = champions.transpose()?;
        let row = |share| Beside {
            share,
            newcomer: reached(&newcomers, &policy, share, unit),
            champion: champions.as_ref().and_then(|(log, c)| reached(log, c, share, unit)),
        };
        let rows = SHARES.map(row).into();
        let champion = champion.as_ref().map(|champion| champion.card.name.clone());
        let judged = judged.iter().filter(|trajectory| trajectory.explored).count();
        Ok(Arc::new(Newcomer { number, policy: Arc::new(policy), champion, judged, rows }))
    }

    fn collect(
        &self,
        preset: &Preset,
        say: &dyn Fn(usize, usize, String),
    ) -> anyhow::Result<String> {
        let mut fleet = self.fleet(preset)?;
        let policy = self.policy_at_hand();
        let (router, coin) =
            if policy.is_some() { ("policy", COIN) } else { ("random", BLIND_COIN) };
        let mut exploring = exploring(preset, router, policy.as_deref(), coin);
        if policy.is_none() {
            // A draft is what a first policy learns from, and this router asks for none.
            exploring.routing.glimpse.get_or_insert(Glimpse::Step);
        }
        fleet.set(&exploring);
        // Mostly other questions than those of collections before: their number goes into the seed.
        let seed = self.seed ^ (self.store.len() as u64) << 20;
        let asked = sample(&self.tasks.open(None, Split::Develop)?, seed, COLLECTED);
        let roster = Roster::new(&preset.name, policy);
        let plan = Plan {
            name: format!("{} workbench seed {seed}", preset.name),
            router: router.to_owned(),
            seed,
        };
        let written = std::cell::Cell::new(0);
        let progress = |done: usize, episode: Option<&Episode>| {
            written.set(written.get() + usize::from(episode.is_some()));
            say(done, asked.len(), "each with a threshold that was drawn for it".into());
            self.flow()
        };
        match collect(&mut fleet, &roster, &self.store, &plan, &asked, progress) {
            Ok(collected) if collected.skipped.is_empty() => {
                Ok(format!("{} episodes were collected", written.get()))
            }
            Ok(collected) => Ok(format!(
                "{} episodes were collected; {} questions are too long for a model's context",
                written.get(),
                collected.skipped.len()
            )),
            Err(SessionError::Cancelled) => {
                Ok(format!("{} episodes were collected, then it was cancelled", written.get()))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn calibrate(
        &self,
        preset: &Preset,
        say: &dyn Fn(usize, usize, String),
    ) -> anyhow::Result<String> {
        let policy = self.policy_at_hand().ok_or_else(|| {
            anyhow::anyhow!(
                "a threshold is calibrated for a policy, and there is none yet: train one"
            )
        })?;
        let mut fleet = self.fleet(preset)?;
        let roster = Roster::new(&preset.name, Some(policy.clone()));
        let seed = fresh(self.seed, 1);
        let set = self.tasks.open(None, Split::Develop)?;
        let asked = unseen(&set, &self.store, seed, CALIBRATED)?;
        let done = std::cell::Cell::new(0);
        let step = || {
            done.set(done.get() + 1);
            let text = "fresh questions, by each model alone and by both";
            say(done.get(), 3 * asked.len(), text.into());
            self.flow()
        };
        let target = Target::Accuracy { accuracy: ACCURACY, confidence: CONFIDENCE };
        let asked_of = (asked.as_slice(), self.task.as_str());
        let found = calibrate(&mut fleet, &roster, &policy, asked_of, seed, target, step)?;
        let Some((calibration, _)) = found else {
            anyhow::bail!("no threshold keeps the promise on these {} questions", asked.len());
        };
        self.store.keep_calibration(&calibration)?;
        Ok(format!(
            "threshold {:.4}: {} · {:.1} % right at {:.1} % of the cost",
            calibration.threshold,
            aim(calibration.target),
            100.0 * calibration.accuracy,
            100.0 * calibration.cost_share
        ))
    }

    fn contest(
        &self,
        preset: &Preset,
        newcomer: Option<&Newcomer>,
        say: &dyn Fn(usize, usize, String),
    ) -> anyhow::Result<News> {
        let (Some(newcomer), Some(champion)) = (newcomer, self.policy_at_hand()) else {
            anyhow::bail!(
                "a contest needs a policy before the new one, and there is none: promote the new one"
            );
        };
        let mut fleet = self.fleet(preset)?;
        let seed = policies::contest_seed(self.seed, &self.store, &preset.name, newcomer.number)?;
        let set = self.tasks.open(None, Split::Develop)?;
        let asked = unseen(&set, &self.store, seed, CONTEST)?;
        let names = [newcomer.policy.card.name.clone(), champion.card.name.clone()];
        let done = std::cell::Cell::new(0);
        let held = contest(&mut fleet, [newcomer.policy.clone(), champion], &asked, seed, || {
            done.set(done.get() + 1);
            say(
                done.get(),
                4 * asked.len(),
                "each question four times: each model alone, then both policies".into(),
            );
            self.flow()
        })?;
        let apgr = |apgr: Option<f64>| apgr.map_or("none".into(), |apgr| format!("{apgr:.3}"));
        let lead = held.lead.map_or(String::new(), |lead| {
            let ci = lead.ci.map_or(String::new(), |[a, b]| format!(" ({a:+.3} to {b:+.3})"));
            format!("; lead {:+.3}{ci}", lead.value)
        });
        let verdict = if held.is_won() { "won" } else { "not won: its interval is not above 0" };
        let text = format!(
            "{} fresh questions: APGR of {} {}, of {} {}{lead}: {verdict}",
            asked.len(),
            names[0],
            apgr(held.challenger),
            names[1],
            apgr(held.champion)
        );
        Ok(News::Contest(text, held.is_won()))
    }

    /// The models once more, beside those of the session.
    fn fleet(&self, preset: &Preset) -> anyhow::Result<Fleet> {
        memory::room_for(preset, &self.folders.cache).map_err(|why| {
            anyhow::anyhow!(
                "the models would be loaded a second time, and {why}: quit, and run `pointsman collect`, `calibrate` or `policy promote`"
            )
        })?;
        Ok(load_fleet(preset, &self.folders.cache, Some(1))?)
    }

    pub(super) fn promote(&self, preset: &str, newcomer: &Newcomer) -> Result<Box<Chosen>, String> {
        self.store.promote(preset, newcomer.number).map_err(|e| e.to_string())?;
        Ok(self.put_in_force(newcomer.policy.clone()))
    }

    /// Puts the policy in force that was before the last promotion.
    pub(super) fn roll_back(&self, name: &str) -> Result<Box<Chosen>, String> {
        let mut preset = self.preset();
        if self.store.roll_back(name).map_err(|e| e.to_string())?.is_none() {
            return Err(format!(
                "no policy was promoted for preset {name}: the one of the preset is in force"
            ));
        }
        let policy = policies::in_force(&preset, Some(&self.store)).map_err(|e| e.to_string())?;
        if let Some(policy) = policy {
            return Ok(self.put_in_force(Arc::new(policy)));
        }
        // Then the router chooses that the preset had before a policy was promoted.
        let own = load_preset(name, &self.folders).map_err(|e| e.to_string())?;
        preset.routing.router = own.routing.router;
        let roster = Roster::new(&preset.name, None);
        Ok(self.chosen(preset, roster))
    }

    /// Has a policy choose, whichever router did.
    fn put_in_force(&self, policy: Arc<Policy>) -> Box<Chosen> {
        let mut preset = self.preset();
        preset.routing.router = "policy".into();
        let roster = Roster::new(&preset.name, Some(policy));
        self.chosen(preset, roster)
    }
}

fn log(trajectories: &[Trajectory], policy: &Policy) -> anyhow::Result<Log> {
    Ok(Log::new(&logged(trajectories, policy)?))
}

/// What a policy reaches at the threshold whose estimated cost comes nearest to `share`, where the recordings
/// support it.
fn reached(log: &Log, policy: &Policy, share: f64, unit: f64) -> Option<Reached> {
    let estimates = log.curve(&policy.card.quantiles);
    let supported = estimates.iter().filter(|estimate| estimate.supported);
    let far =
        |estimate: &&Estimate| estimate.cost.map_or(f64::MAX, |cost| (cost / unit - share).abs());
    let nearest = supported.min_by(|a, b| far(a).total_cmp(&far(b)))?;
    if far(&nearest) > NEAR {
        return None;
    }
    Some(Reached {
        threshold: nearest.threshold,
        share: nearest.cost? / unit,
        accuracy: nearest.accuracy?,
        ci: nearest.accuracy_ci?,
    })
}
