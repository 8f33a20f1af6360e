alias Elem = f32;
// y of a chunk: what the state before it gives, what the chunk's own tokens give, and D x. A thread has 8 tokens x 8
// channels. Tokens before these are weighted up to the first of the 8 (`here`), and the sums from there to each of the
// 8: no factor is above 1, and there is one exp for 64 products. The 8 tokens themselves follow one by one.
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> xbc: array<vec4<Elem>>;   // [tokens, stride]
@group(0) @binding(2) var<storage, read> moves: array<vec4<f32>>;  // [tokens, heads], as ssd_decay leaves them
@group(0) @binding(3) var<storage, read> scores: array<vec4<f32>>; // [chunks, groups, CHUNK of B, CHUNK of C]
@group(0) @binding(4) var<storage, read> states: array<vec4<f32>>; // [chunks, heads, state_size, head_dim]
@group(0) @binding(5) var<storage, read> d: array<f32>;            // [heads]
@group(0) @binding(6) var<storage, read_write> out: array<Elem>;   // [tokens, heads * head_dim]
override has_d: u32;

// The tile of a thread: `first` is its first token in the chunk.
struct Tile {
    chunk: u32,
    first: u32,
    token: u32,
    head: u32,
    quad: u32,
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let channels = channels_of(group.x, lane);
    let first = lane / SIDE * TILE;
    let tile = Tile(group.y, first, group.y * CHUNK + first, channels.x, channels.y);
    if step.done != 0u || tile.head >= heads || tile.token >= step.tokens {
        return;
    }
    let here = place_of(tile.token, tile.head);
    var sums = from_state(tile);
    let all = vec4(left_between(vec2(0.0), here));
    scale_columns(&sums, all, all);
    add_earlier(&sums, tile, here);
    add_own(&sums, tile, here);
    finish(tile, 0u, 0u, sums.low0);
    finish(tile, 0u, 1u, sums.low1);
    finish(tile, 4u, 0u, sums.high0);
    finish(tile, 4u, 1u, sums.high1);
}

fn from_state(tile: Tile) -> Sums {
    var sums = Sums();
    let first_row = (tile.chunk * heads + tile.head) * quads(state_size) * 4u;
    for (var n = 0u; n < quads(state_size); n++) {
        let s = (first_row + n * 4u) * quads(head_dim) + tile.quad;
        let s0 = four_of_state(s);
        let s1 = four_of_state(s + 1u);
        let c = side_start(tile.token, group_of(tile.head), c_offset) + n;
        let low = four_of_c(c);
        let high = four_of_c(c + stride);
        sums.low0 += s0 * low;
        sums.low1 += s1 * low;
        sums.high0 += s0 * high;
        sums.high1 += s1 * high;
    }
    return sums;
}

// Four rows of a state, then of four tokens' C, a column each.
fn four_of_state(s: u32) -> mat4x4<f32> {
    let next = quads(head_dim);
    return mat4x4(states[s], states[s + next], states[s + 2u * next], states[s + 3u * next]);
}

fn four_of_c(c: u32) -> mat4x4<f32> {
    let next = stride / 4u;
    return mat4x4(
        vec4<f32>(xbc[c]), vec4<f32>(xbc[c + next]), vec4<f32>(xbc[c + 2u * next]), vec4<f32>(xbc[c + 3u * next]),
    );
}

fn add_earlier(sums: ptr<function, Sums>, tile: Tile, here: vec2<f32>) {
    for (var j = 0u; j < tile.first; j++) {
        let source = tile.chunk * CHUNK + j;
        let moved = moves[source * heads + tile.head];
        let weight = moved.x * left_between(moved.yz, here);
        let x = x_start(source, tile.head) + tile.quad;
        let score = score_start(tile, j);
        let x0 = weight * vec4<f32>(xbc[x]);
        let x1 = weight * vec4<f32>(xbc[x + 1u]);
        add_products(sums, x0, x1, scores[score], scores[score + 1u]);
    }
}

fn add_own(sums: ptr<function, Sums>, tile: Tile, here: vec2<f32>) {
    let low = places_of(tile.token, tile.head);
    let high = places_of(tile.token + 4u, tile.head);
    scale_columns(sums, left_to(here, low), left_to(here, high));
    for (var j = 0u; j < min(TILE, step.tokens - tile.token); j++) {
        let moved = moves[(tile.token + j) * heads + tile.head];
        let x = x_start(tile.token + j, tile.head) + tile.quad;
        let score = score_start(tile, tile.first + j);
        let to_low = own_weights(j, 0u, tile.head, moved.x * scores[score] * left_to(moved.yz, low));
        let to_high = own_weights(j, 4u, tile.head, moved.x * scores[score + 1u] * left_to(moved.yz, high));
        add_products(sums, vec4<f32>(xbc[x]), vec4<f32>(xbc[x + 1u]), to_low, to_high);
    }
}

// Where the scores of token j of the chunk for the tile's tokens begin.
fn score_start(tile: Tile, j: u32) -> u32 {
    return (((tile.chunk * groups + group_of(tile.head)) * CHUNK + j) * CHUNK + tile.first) / 4u;
}

// Weights of token j of the tile for four of its tokens from `first` on: none for those before j, and D for j itself.
fn own_weights(j: u32, first: u32, head: u32, weights: vec4<f32>) -> vec4<f32> {
    let to = vec4(first, first + 1u, first + 2u, first + 3u);
    let skip = select(0.0, d[head], has_d != 0u);
    return select(vec4(0.0), weights, vec4(j) <= to) + select(vec4(0.0), vec4(skip), vec4(j) == to);
}

fn place_of(token: u32, head: u32) -> vec2<f32> {
    return moves[token * heads + head].yz;
}

// Places of four tokens.
struct Places {
    whole: vec4<f32>,
    fraction: vec4<f32>,
}

fn places_of(token: u32, head: u32) -> Places {
    let first = place_of(token, head);
    let second = place_of(token + 1u, head);
    let third = place_of(token + 2u, head);
    let fourth = place_of(token + 3u, head);
    return Places(vec4(first.x, second.x, third.x, fourth.x), vec4(first.y, second.y, third.y, fourth.y));
}

fn left_to(begin: vec2<f32>, end: Places) -> vec4<f32> {
    return exp(clamp((begin.x - end.whole) + (begin.y - end.fraction), vec4(-200.0), vec4(0.0)));
}

fn finish(tile: Tile, from_token: u32, from_quad: u32, four: mat4x4<f32>) {
    for (var t = 0u; t < 4u; t++) {
        for (var p = 0u; p < 4u; p++) {
            let token = tile.token + from_token + t;
            let channel = (tile.quad + from_quad) * 4u + p;
            if token < step.tokens && channel < head_dim {
                out[(token * heads + tile.head) * head_dim + channel] = Elem(four[t][p]);
            }
        }
    }
}
