//! Parameter sets of one kind, by id: a stream has one or two, and each picture asks for some.

use alloc::vec::Vec;

/// In the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table<T>(Vec<(u8, T)>);

impl<T> Table<T> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    #[inline]
    pub(super) fn get(&self, id: u8) -> Option<&T> {
        match self.0.as_slice() {
            // Nearly always.
            [(first, set), ..] if *first == id => Some(set),
            sets => sets.binary_search_by_key(&id, |(id, _)| *id).ok().and_then(|at| Some(&sets.get(at)?.1)),
        }
    }

    /// Takes the place of the one with its id, which comes back.
    pub(super) fn insert(&mut self, id: u8, set: T) -> Option<T> {
        let at = self.0.partition_point(|(before, _)| *before < id);
        match self.0.get_mut(at).filter(|(there, _)| *there == id) {
            Some((_, there)) => Some(core::mem::replace(there, set)),
            None => {
                self.0.insert(at, (id, set));
                None
            }
        }
    }

    /// The lowest id.
    pub(super) fn first(&self) -> Option<u8> {
        self.0.first().map(|(id, _)| *id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u8, &T)> {
        self.0.iter().map(|(id, set)| (*id, set))
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn is_a_map(sets in prop::collection::vec((0_u8..12, any::<u16>()), 0..40)) {
            let (mut table, mut map) = (Table::new(), BTreeMap::new());
            for (id, set) in sets {
                prop_assert_eq!(table.insert(id, set), map.insert(id, set));
                prop_assert!((0..12).all(|id| table.get(id) == map.get(&id)));
                prop_assert_eq!(table.first(), map.keys().next().copied());
            }
            prop_assert!(table.iter().eq(map.iter().map(|(id, set)| (*id, set))));
            prop_assert_eq!(table.iter().collect::<Vec<_>>().len(), map.len());
        }
    }
}
