//! Keccak-f[1600] and the fixed-length hashes that Ethash needs.
//!
//! Original Keccak padding (0x01), not SHA-3's 0x06. The permutation is written once, over a lane
//! type: `u64` here; a vector of eight lanes permutes eight states at once in a wide tier.

/// One lane of the state, or several states' lanes side by side.
pub(crate) trait Lane: Copy {
    /// States side by side, at most eight.
    const WIDTH: usize;
    /// One lane of each state; what is beyond the width is ignored.
    fn gather(column: &[u64; 8]) -> Self;
    /// The reverse; zeros beyond the width.
    fn scatter(self) -> [u64; 8];
    /// Exclusive or.
    fn xor(self, other: Self) -> Self;
    /// The chi step: `self ^ (!b & c)`.
    fn chi(self, b: Self, c: Self) -> Self;
    /// Rotation to the left.
    fn rotate<const N: u32>(self) -> Self;
    /// The same 64 bits in every state.
    fn splat(bits: u64) -> Self;
}

impl Lane for u64 {
    const WIDTH: usize = 1;
    #[inline(always)]
    fn gather(column: &[u64; 8]) -> u64 {
        column[0]
    }
    #[inline(always)]
    fn scatter(self) -> [u64; 8] {
        [self, 0, 0, 0, 0, 0, 0, 0]
    }
    #[inline(always)]
    fn xor(self, other: u64) -> u64 {
        self ^ other
    }
    #[inline(always)]
    fn chi(self, b: u64, c: u64) -> u64 {
        self ^ (!b & c)
    }
    #[inline(always)]
    fn rotate<const N: u32>(self) -> u64 {
        self.rotate_left(N)
    }
    #[inline(always)]
    fn splat(bits: u64) -> u64 {
        bits
    }
}

/// Lanes of a block of keccak-256.
pub(crate) const KECCAK256_RATE: usize = 17;
/// Lanes of a block of keccak-512.
pub(crate) const KECCAK512_RATE: usize = 9;

const ROUND_CONSTANTS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// Permutes the state; lanes are numbered x + 5y.
#[inline(always)]
pub(crate) fn permute<L: Lane>(state: &mut [L; 25]) {
    let [first, between @ .., last] = &ROUND_CONSTANTS;
    // Most lanes go into the first round as constants and come out of the last one unused. With
    // these two outside of the loop the compiler leaves out what that makes superfluous.
    let mut a = round(state, *first);
    for pair in between.chunks_exact(2) {
        a = round(&a, pair[0]);
        a = round(&a, pair[1]);
    }
    *state = round(&a, *last);
}

/// One round, straight-line so that all 25 lanes stay in registers or on the stack's top.
#[inline(always)]
fn round<L: Lane>(a: &[L; 25], constant: u64) -> [L; 25] {
    // Theta: each lane takes in the parity of two columns.
    let parity = |x: usize| {
        a[x].xor(a[x + 5])
            .xor(a[x + 10])
            .xor(a[x + 15])
            .xor(a[x + 20])
    };
    let c = [parity(0), parity(1), parity(2), parity(3), parity(4)];
    let d = [
        c[4].xor(c[1].rotate::<1>()),
        c[0].xor(c[2].rotate::<1>()),
        c[1].xor(c[3].rotate::<1>()),
        c[2].xor(c[4].rotate::<1>()),
        c[3].xor(c[0].rotate::<1>()),
    ];
    // Rho and pi: rotate, and move lane (x, y) to (y, 2x + 3y); row by row of the result.
    let rows = [
        [
            a[0].xor(d[0]),
            a[6].xor(d[1]).rotate::<44>(),
            a[12].xor(d[2]).rotate::<43>(),
            a[18].xor(d[3]).rotate::<21>(),
            a[24].xor(d[4]).rotate::<14>(),
        ],
        [
            a[3].xor(d[3]).rotate::<28>(),
            a[9].xor(d[4]).rotate::<20>(),
            a[10].xor(d[0]).rotate::<3>(),
            a[16].xor(d[1]).rotate::<45>(),
            a[22].xor(d[2]).rotate::<61>(),
        ],
        [
            a[1].xor(d[1]).rotate::<1>(),
            a[7].xor(d[2]).rotate::<6>(),
            a[13].xor(d[3]).rotate::<25>(),
            a[19].xor(d[4]).rotate::<8>(),
            a[20].xor(d[0]).rotate::<18>(),
        ],
        [
            a[4].xor(d[4]).rotate::<27>(),
            a[5].xor(d[0]).rotate::<36>(),
            a[11].xor(d[1]).rotate::<10>(),
            a[17].xor(d[2]).rotate::<15>(),
            a[23].xor(d[3]).rotate::<56>(),
        ],
        [
            a[2].xor(d[2]).rotate::<62>(),
            a[8].xor(d[3]).rotate::<55>(),
            a[14].xor(d[4]).rotate::<39>(),
            a[15].xor(d[0]).rotate::<41>(),
            a[21].xor(d[1]).rotate::<2>(),
        ],
    ];
    // Chi and iota.
    let chi = |y: usize, x: usize| rows[y][x].chi(rows[y][(x + 1) % 5], rows[y][(x + 2) % 5]);
    let mut e = [
        chi(0, 0),
        chi(0, 1),
        chi(0, 2),
        chi(0, 3),
        chi(0, 4),
        chi(1, 0),
        chi(1, 1),
        chi(1, 2),
        chi(1, 3),
        chi(1, 4),
        chi(2, 0),
        chi(2, 1),
        chi(2, 2),
        chi(2, 3),
        chi(2, 4),
        chi(3, 0),
        chi(3, 1),
        chi(3, 2),
        chi(3, 3),
        chi(3, 4),
        chi(4, 0),
        chi(4, 1),
        chi(4, 2),
        chi(4, 3),
        chi(4, 4),
    ];
    e[0] = e[0].xor(L::splat(constant));
    e
}

/// Keccak-512 of a message of whole lanes, shorter than one block (72 bytes).
#[inline(always)]
pub(crate) fn keccak512_lanes<const N: usize>(message: &[u64; N]) -> [u64; 8] {
    let mut state = [0; 25];
    state[..N].copy_from_slice(message);
    state[N] ^= 1;
    state[8] ^= 1 << 63;
    permute(&mut state);
    state[..8].try_into().expect("eight lanes")
}

/// Keccak-256 of a message of whole lanes, shorter than one block (136 bytes).
#[inline(always)]
pub(crate) fn keccak256_lanes<const N: usize>(message: &[u64; N]) -> [u64; 4] {
    let mut state = [0; 25];
    state[..N].copy_from_slice(message);
    state[N] ^= 1;
    state[16] ^= 1 << 63;
    permute(&mut state);
    state[..4].try_into().expect("four lanes")
}

/// Keccak-256 of 32 bytes: one round of the seed chain.
pub(crate) fn keccak256_32(message: &[u8; 32]) -> [u8; 32] {
    lanes_to_bytes(&keccak256_lanes(&bytes_to_lanes::<4>(message)))
}

/// Keccak-256 of any message.
pub(crate) fn keccak256(message: &[u8]) -> [u8; 32] {
    const RATE_BYTES: usize = 136;
    let mut state = [0u64; 25];
    let mut blocks = message.chunks_exact(RATE_BYTES);
    for block in &mut blocks {
        absorb(&mut state, block);
        permute(&mut state);
    }
    let rest = blocks.remainder();
    let mut last = [0; RATE_BYTES];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] ^= 0x01;
    last[RATE_BYTES - 1] ^= 0x80;
    absorb(&mut state, &last);
    permute(&mut state);
    lanes_to_bytes(&[state[0], state[1], state[2], state[3]])
}

fn absorb(state: &mut [u64; 25], block: &[u8]) {
    for (lane, bytes) in state.iter_mut().zip(block.chunks_exact(8)) {
        *lane ^= u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
    }
}

/// Little-endian lanes of exactly 8 N bytes.
#[inline(always)]
pub(crate) fn bytes_to_lanes<const N: usize>(bytes: &[u8]) -> [u64; N] {
    debug_assert_eq!(bytes.len(), 8 * N);
    let mut lanes = [0; N];
    for (lane, chunk) in lanes.iter_mut().zip(bytes.chunks_exact(8)) {
        *lane = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
    }
    lanes
}

/// The 32 bytes of four little-endian lanes.
#[inline(always)]
pub(crate) fn lanes_to_bytes(lanes: &[u64; 4]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, lane) in bytes.chunks_exact_mut(8).zip(lanes) {
        chunk.copy_from_slice(&lane.to_le_bytes());
    }
    bytes
}

/// Keccak-512 of several 64-byte messages at once; `lanes[w]` holds word `w` of all of them.
#[inline(always)]
pub(crate) fn keccak512_wide<L: Lane>(lanes: &mut [L; 8]) {
    let mut state = [L::splat(0); 25];
    state[..8].copy_from_slice(lanes);
    state[8] = L::splat(1 | 1 << 63);
    permute(&mut state);
    lanes.copy_from_slice(&state[..8]);
}

/// Digests of messages of whole lanes that are shorter than a block of `rate` lanes, as many at
/// once as the lane type holds.
#[inline(always)]
pub(crate) fn keccak_many<L: Lane, const N: usize, const M: usize>(
    rate: usize,
    messages: &[[u64; N]],
    digests: &mut [[u64; M]],
) {
    assert!(N < rate && messages.len() == digests.len());
    for (messages, digests) in messages.chunks(L::WIDTH).zip(digests.chunks_mut(L::WIDTH)) {
        let mut state = [L::splat(0); 25];
        for (word, lane) in state[..N].iter_mut().enumerate() {
            let mut column = [0; 8];
            for (place, message) in column.iter_mut().zip(messages) {
                *place = message[word];
            }
            *lane = L::gather(&column);
        }
        state[N] = state[N].xor(L::splat(1));
        state[rate - 1] = state[rate - 1].xor(L::splat(1 << 63));
        permute(&mut state);
        for (word, lane) in state[..M].iter().enumerate() {
            for (digest, value) in digests.iter_mut().zip(lane.scatter()) {
                digest[word] = value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn keccak256_agrees_with_published_digests() {
        // The empty string and "abc": the constants of Ethereum's yellow paper and Keccak's KATs.
        assert_eq!(
            hex(&keccak256(b"")),
            "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
        );
        assert_eq!(
            hex(&keccak256(b"abc")),
            "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"
        );
    }

    #[test]
    fn fixed_lengths_agree_with_any_length() {
        let message: [u8; 96] = std::array::from_fn(|i| (i * 7) as u8);
        assert_eq!(
            lanes_to_bytes(&keccak256_lanes(&bytes_to_lanes::<12>(&message))),
            keccak256(&message)
        );
        let short: [u8; 32] = message[..32].try_into().unwrap();
        assert_eq!(keccak256_32(&short), keccak256(&short));
    }

    #[test]
    fn whole_blocks_get_a_block_of_padding() {
        // 135, 136 and 137 bytes: the padding's edge.
        let digests: Vec<_> = (135..138).map(|n| keccak256(&vec![0xa5; n])).collect();
        assert!(digests[0] != digests[1] && digests[1] != digests[2]);
    }
}
