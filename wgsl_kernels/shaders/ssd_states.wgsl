alias Elem = f32;
// The state of a head before each chunk, and after the last one: S = left S + the sum of weight B x^T over a chunk. A
// thread keeps 8 rows x 8 channels and walks the chunks in order, so that a state is written once a chunk and never read
// back.
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> xbc: array<vec4<Elem>>;  // [tokens, stride]
@group(0) @binding(2) var<storage, read> moves: array<vec4<f32>>; // [tokens, heads], as ssd_decay leaves them
@group(0) @binding(3) var<storage, read_write> state: array<f32>; // [heads, state_size, head_dim]
@group(0) @binding(4) var<storage, read_write> states: array<vec4<f32>>; // [chunks, heads, state_size, head_dim]

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let channels = channels_of(group.x, lane);
    let head = channels.x;
    let quad = channels.y;
    let row = (group.y * SIDE + lane / SIDE) * TILE;
    if step.done != 0u || head >= heads || row >= state_size {
        return;
    }
    var sums = Sums(
        loaded(head, row, quad),
        loaded(head, row, quad + 1u),
        loaded(head, row + 4u, quad),
        loaded(head, row + 4u, quad + 1u),
    );
    for (var first = 0u; first < step.tokens; first += CHUNK) {
        keep(first / CHUNK, head, row, quad, sums);
        let end = min(first + CHUNK, step.tokens);
        let left = vec4(left_between(vec2(0.0), moves[(end - 1u) * heads + head].yz));
        scale_columns(&sums, left, left);
        for (var token = first; token < end; token++) {
            let weight = moves[token * heads + head].w;
            let x = x_start(token, head) + quad;
            let b = side_start(token, group_of(head), b_offset) + row / 4u;
            let x0 = weight * vec4<f32>(xbc[x]);
            let x1 = weight * vec4<f32>(xbc[x + 1u]);
            add_products(&sums, x0, x1, vec4<f32>(xbc[b]), vec4<f32>(xbc[b + 1u]));
        }
    }
    store(head, row, quad, sums.low0);
    store(head, row, quad + 1u, sums.low1);
    store(head, row + 4u, quad, sums.high0);
    store(head, row + 4u, quad + 1u, sums.high1);
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

fn keep(chunk: u32, head: u32, row: u32, quad: u32, sums: Sums) {
    let first_row = (chunk * heads + head) * quads(state_size) * 4u;
    keep_four(first_row, row, quad, sums.low0);
    keep_four(first_row, row, quad + 1u, sums.low1);
    keep_four(first_row, row + 4u, quad, sums.high0);
    keep_four(first_row, row + 4u, quad + 1u, sums.high1);
}

fn keep_four(first_row: u32, row: u32, quad: u32, four: mat4x4<f32>) {
    if row >= state_size || quad >= quads(head_dim) {
        return;
    }
    for (var n = 0u; n < 4u; n++) {
        states[(first_row + row + n) * quads(head_dim) + quad] = four[n];
    }
}
