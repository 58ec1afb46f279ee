//! Laws over random batches: mixed epochs, algorithms, tiers and targets.
#![allow(missing_docs)]

#[path = "common/mod.rs"]
#[allow(dead_code, unreachable_pub)]
mod common;

use std::sync::LazyLock;

use proptest::prelude::*;
use quarry_ethash::algorithm::{ALGORITHMS, Kind};
use quarry_ethash::context::{Context, Wish};
use quarry_ethash::epoch::Shape;
use quarry_ethash::hashimoto::{Output, Request};
use quarry_ethash::search::search;
use quarry_ethash::tier::Tier;

/// One small epoch: the context that is believed, and its equals in every tier.
struct Epoch {
    believed: Context,
    equals: Vec<Context>,
}

/// Two small epochs of every algorithm with a light cache, and one of each without.
static EPOCHS: LazyLock<Vec<Epoch>> = LazyLock::new(|| {
    let shapes = ALGORITHMS
        .iter()
        .flat_map(|algorithm| match algorithm.kind {
            Kind::Direct(_) => vec![Shape::of_epoch(algorithm, 0, 0).unwrap()],
            Kind::Hashimoto(_) => vec![
                Shape::of_items(algorithm, 61, 127, 1).unwrap(),
                Shape::of_items(algorithm, 512, 1024, 2).unwrap(),
            ],
        });
    shapes
        .map(|shape| Epoch {
            believed: Context::build(shape, Tier::PORTABLE).unwrap(),
            equals: Tier::available().map(|tier| equal(shape, tier)).collect(),
        })
        .collect()
});

fn equal(shape: Shape, tier: Tier) -> Context {
    let context = Context::build(shape, tier).unwrap();
    if shape.dataset_items > 0 {
        common::prepare_in_memory(&context);
    }
    context
}

prop_compose! {
    fn request()(header in any::<[u8; 32]>(), nonce in any::<u64>()) -> Request {
        Request { header, nonce }
    }
}

/// A share: of which epoch, and the target it has to meet.
fn share() -> impl Strategy<Value = (usize, Request, [u8; 32])> {
    (0..EPOCHS.len(), request(), any::<[u8; 32]>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn shares_of_mixed_epochs_get_the_same_verdicts_in_batches_as_alone(
        shares in prop::collection::vec(share(), 1..80),
        wish in prop::sample::select(vec![Wish::Light, Wish::Best]),
    ) {
        for (i, epoch) in EPOCHS.iter().enumerate() {
            let here: Vec<_> = shares.iter().filter(|share| share.0 == i).collect();
            let requests: Vec<Request> = here.iter().map(|share| share.1).collect();
            let alone = common::singly(&epoch.believed, Wish::Light, &requests);
            for context in &epoch.equals {
                let outputs = common::hash(context, wish, &requests);
                prop_assert_eq!(&outputs, &alone);
                for ((output, one), share) in outputs.iter().zip(&alone).zip(&here) {
                    prop_assert_eq!(output.result <= share.2, one.result <= share.2);
                }
            }
        }
    }

    #[test]
    fn the_filter_knows_the_result_of_every_true_claim(
        shares in prop::collection::vec(share(), 1..40),
        flip in 0usize..256,
    ) {
        for (i, epoch) in EPOCHS.iter().enumerate() {
            let requests: Vec<Request> =
                shares.iter().filter(|share| share.0 == i).map(|share| share.1).collect();
            let truth = common::hash(&epoch.believed, Wish::Light, &requests);
            let algorithm = epoch.believed.shape.algorithm;
            for tier in Tier::available() {
                let mut claims: Vec<Output> =
                    truth.iter().map(|output| Output { result: [0; 32], ..*output }).collect();
                algorithm.final_hashes(tier, &requests, &mut claims);
                prop_assert_eq!(&claims, &truth);
                claims.iter_mut().for_each(|claim| claim.mix[flip / 8] ^= 1 << (flip % 8));
                algorithm.final_hashes(tier, &requests, &mut claims);
                prop_assert!(claims.iter().zip(&truth).all(|(claim, one)| claim.result != one.result));
            }
        }
    }

    #[test]
    fn a_search_finds_the_first_nonce_that_meets_the_target(
        (i, start, mut target) in share(),
        count in 1u32..150,
        strict in 0u8..64,
    ) {
        target[0] = strict;
        let epoch = &EPOCHS[i];
        let range: Vec<Request> = (0..u64::from(count))
            .map(|j| Request { nonce: start.nonce.wrapping_add(j), ..start })
            .collect();
        let outputs = common::hash(&epoch.believed, Wish::Light, &range);
        let first = outputs.iter().position(|output| output.result <= target);
        for context in &epoch.equals {
            let hasher = context.hasher(Wish::Best).unwrap();
            let (found, tried) = search(hasher, &start.header, start.nonce, count, &target, || false);
            prop_assert_eq!(tried, first.map_or(count, |at| at as u32 + 1));
            prop_assert_eq!(found.map(|found| found.nonce), first.map(|at| range[at].nonce));
            prop_assert_eq!(found.map(|found| found.output), first.map(|at| outputs[at]));
        }
    }
}
