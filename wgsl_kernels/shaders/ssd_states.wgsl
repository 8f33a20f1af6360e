alias Elem = f32;
// The state of a head before each chunk, and after the last one: S = left S + sum of weight B x^T over a chunk. A thread
// keeps 8 rows x 8 channels in registers and walks the chunks in order, so that a state is written once a chunk and
// never read back.
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> xbc: array<vec4<Elem>>;  // [tokens, stride]
@group(0) @binding(2) var<storage, read> moves: array<vec4<f32>>; // [tokens, heads]
@group(0) @binding(3) var<storage, read_write> state: array<f32>; // [heads, state_size, head_dim]
@group(0) @binding(4) var<storage, read_write> states: array<vec4<f32>>; // [chunks, heads, state_size, head_dim]
const SIDE: u32 = 8u; // tiles along both sides of a workgroup
const TILE: u32 = 8u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tiles = (head_dim + TILE - 1u) / TILE;
    let tile = group.x * SIDE + lane % SIDE;
    let head = tile / tiles;
    let quad = tile % tiles * 2u;
    let row = (group.y * SIDE + lane / SIDE) * TILE;
    if step.done != 0u || head >= heads || row >= state_size {
        return;
    }
    var sums00 = loaded(head, row, quad); // a column a row of the state; first index row half, second channel half
    var sums01 = loaded(head, row, quad + 1u);
    var sums10 = loaded(head, row + 4u, quad);
    var sums11 = loaded(head, row + 4u, quad + 1u);
    for (var first = 0u; first < step.tokens; first += CHUNK) {
        let at = (first / CHUNK * heads + head) * quads(state_size) * 4u;
        keep(at, row, quad, sums00);
        keep(at, row, quad + 1u, sums01);
        keep(at, row + 4u, quad, sums10);
        keep(at, row + 4u, quad + 1u, sums11);
        let end = min(first + CHUNK, step.tokens);
        let left = left_between(vec2(0.0), moves[(end - 1u) * heads + head].yz);
        sums00 *= left;
        sums01 *= left;
        sums10 *= left;
        sums11 *= left;
        for (var token = first; token < end; token++) {
            let b = side_start(token, head / (heads / groups), b_offset) + row / 4u;
            let x = x_start(token, head) + quad;
            let weight = moves[token * heads + head].w;
            let b0 = vec4<f32>(xbc[b]);
            let b1 = vec4<f32>(xbc[b + 1u]);
            let x0 = weight * vec4<f32>(xbc[x]);
            let x1 = weight * vec4<f32>(xbc[x + 1u]);
            sums00 += outer(x0, b0);
            sums01 += outer(x1, b0);
            sums10 += outer(x0, b1);
            sums11 += outer(x1, b1);
        }
    }
    store(head, row, quad, sums00);
    store(head, row, quad + 1u, sums01);
    store(head, row + 4u, quad, sums10);
    store(head, row + 4u, quad + 1u, sums11);
}

fn outer(x: vec4<f32>, b: vec4<f32>) -> mat4x4<f32> {
    return mat4x4(x * b.x, x * b.y, x * b.z, x * b.w);
}

// What lies beyond the state is zero.
fn loaded(head: u32, row: u32, quad: u32) -> mat4x4<f32> {
    var four = mat4x4<f32>();
    for (var n = 0u; n < 4u; n++) {
        for (var p = 0u; p < 4u; p++) {
            if row + n < state_size && quad * 4u + p < head_dim {
                four[n][p] = state[(head * state_size + row + n) * head_dim + quad * 4u + p];
            }
        }
    }
    return four;
}

fn store(head: u32, row: u32, quad: u32, four: mat4x4<f32>) {
    for (var n = 0u; n < 4u; n++) {
        for (var p = 0u; p < 4u; p++) {
            if row + n < state_size && quad * 4u + p < head_dim {
                state[(head * state_size + row + n) * head_dim + quad * 4u + p] = four[n][p];
            }
        }
    }
}

fn keep(at: u32, row: u32, quad: u32, four: mat4x4<f32>) {
    if row >= state_size || quad >= quads(head_dim) {
        return;
    }
    for (var n = 0u; n < 4u; n++) {
        states[(at + row + n) * quads(head_dim) + quad] = four[n];
    }
}
