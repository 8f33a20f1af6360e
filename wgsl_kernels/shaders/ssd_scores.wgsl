alias Elem = f32;
// C B^T of a chunk and a group, for all of the group's heads: tiles of 4 x 4 on and below the diagonal, one a thread.
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> xbc: array<vec4<Elem>>; // [tokens, stride]
@group(0) @binding(2) var<storage, read_write> scores: array<vec4<f32>>; // [chunks, groups, CHUNK of B, CHUNK of C]
const THREADS: u32 = 64u;
const TILES: u32 = 16u; // along a side of the chunk

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tile = group.z * THREADS + lane;
    let of_b = tile / TILES;
    let of_c = tile % TILES;
    if step.done != 0u || of_c < of_b {
        return;
    }
    let token = group.y * CHUNK;
    var sums = mat4x4<f32>(); // a column a token of B, a component a token of C
    for (var n = 0u; n < quads(state_size); n++) {
        let c = four(token + of_c * 4u, group.x, c_offset, n);
        sums += transpose(c) * four(token + of_b * 4u, group.x, b_offset, n);
    }
    let row = (group.y * groups + group.x) * CHUNK + of_b * 4u;
    for (var t = 0u; t < 4u; t++) {
        scores[(row + t) * TILES + of_c] = sums[t];
    }
}

fn four(token: u32, group: u32, offset: u32, n: u32) -> mat4x4<f32> {
    return mat4x4(
        side_at(token, group, offset, n),
        side_at(token + 1u, group, offset, n),
        side_at(token + 2u, group, offset, n),
        side_at(token + 3u, group, offset, n),
    );
}

// Tokens past the last one are zero.
fn side_at(token: u32, group: u32, offset: u32, n: u32) -> vec4<f32> {
    if token >= step.tokens {
        return vec4(0.0);
    }
    return vec4<f32>(xbc[side_start(token, group, offset) + n]);
}
