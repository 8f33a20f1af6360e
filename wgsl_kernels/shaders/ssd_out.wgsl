alias Elem = f32;
// y of a chunk: what the state before it gives, what the chunk's own tokens give, and D x. A thread has 8 tokens x 8
// channels in registers. Tokens before its own are weighted up to its first one (`here`), and the sums from there to
// each of its tokens: every factor is at most 1, and there is one exp for 64 products. Its own tokens follow one by one.
@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> xbc: array<vec4<Elem>>;   // [tokens, stride]
@group(0) @binding(2) var<storage, read> moves: array<vec4<f32>>;  // [tokens, heads]
@group(0) @binding(3) var<storage, read> scores: array<vec4<f32>>; // [chunks, groups, CHUNK of B, CHUNK of C]
@group(0) @binding(4) var<storage, read> states: array<vec4<f32>>; // [chunks, heads, state_size, head_dim]
@group(0) @binding(5) var<storage, read> d: array<f32>;            // [heads]
@group(0) @binding(6) var<storage, read_write> out: array<Elem>;   // [tokens, heads * head_dim]
override has_d: u32;
const SIDE: u32 = 8u; // tiles along both sides of a workgroup
const TILE: u32 = 8u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tiles = (head_dim + TILE - 1u) / TILE;
    let tile = group.x * SIDE + lane % SIDE;
    let head = tile / tiles;
    let quad = tile % tiles * 2u;
    let chunk = group.y;
    let first = lane / SIDE * TILE;
    let token = chunk * CHUNK + first;
    if step.done != 0u || head >= heads || token >= step.tokens {
        return;
    }
    let side = head / (heads / groups);
    var sums00 = mat4x4<f32>(); // a column a token; first index token half, second channel half
    var sums01 = mat4x4<f32>();
    var sums10 = mat4x4<f32>();
    var sums11 = mat4x4<f32>();
    let width = quads(head_dim);
    for (var n = 0u; n < quads(state_size); n++) {
        let s = ((chunk * heads + head) * quads(state_size) + n) * 4u * width + quad;
        let s0 = mat4x4(states[s], states[s + width], states[s + 2u * width], states[s + 3u * width]);
        let s1 = mat4x4(states[s + 1u], states[s + 1u + width], states[s + 1u + 2u * width], states[s + 1u + 3u * width]);
        let c = side_start(token, side, c_offset) + n;
        let c0 = four_of_c(c);
        let c1 = four_of_c(c + stride);
        sums00 += s0 * c0;
        sums01 += s1 * c0;
        sums10 += s0 * c1;
        sums11 += s1 * c1;
    }
    let here = place_of(token, head);
    let all = left_between(vec2(0.0), here);
    sums00 *= all;
    sums01 *= all;
    sums10 *= all;
    sums11 *= all;
    let score = ((chunk * groups + side) * CHUNK * CHUNK + first) / 4u;
    for (var j = 0u; j < first; j++) {
        let source = chunk * CHUNK + j;
        let one = moves[source * heads + head];
        let weight = one.x * left_between(one.yz, here);
        let x = x_start(source, head) + quad;
        let x0 = weight * vec4<f32>(xbc[x]);
        let x1 = weight * vec4<f32>(xbc[x + 1u]);
        let m0 = scores[score + j * CHUNK / 4u];
        let m1 = scores[score + j * CHUNK / 4u + 1u];
        sums00 += outer(x0, m0);
        sums01 += outer(x1, m0);
        sums10 += outer(x0, m1);
        sums11 += outer(x1, m1);
    }
    let places0 = places_of(token, head);
    let places1 = places_of(token + 4u, head);
    let left0 = left_to(here, places0);
    let left1 = left_to(here, places1);
    sums00 = scaled(sums00, left0);
    sums01 = scaled(sums01, left0);
    sums10 = scaled(sums10, left1);
    sums11 = scaled(sums11, left1);
    let skip = select(0.0, d[head], has_d != 0u);
    for (var j = 0u; j < min(TILE, step.tokens - token); j++) {
        let one = moves[(token + j) * heads + head];
        let x = x_start(token + j, head) + quad;
        let x0 = vec4<f32>(xbc[x]);
        let x1 = vec4<f32>(xbc[x + 1u]);
        let at = score + (first + j) * CHUNK / 4u;
        let m0 = own_weights(j, 0u, skip, one.x * scores[at] * left_to(one.yz, places0));
        let m1 = own_weights(j, 4u, skip, one.x * scores[at + 1u] * left_to(one.yz, places1));
        sums00 += outer(x0, m0);
        sums01 += outer(x1, m0);
        sums10 += outer(x0, m1);
        sums11 += outer(x1, m1);
    }
    finish(token, head, quad, sums00);
    finish(token, head, quad + 1u, sums01);
    finish(token + 4u, head, quad, sums10);
    finish(token + 4u, head, quad + 1u, sums11);
}

fn four_of_c(c: u32) -> mat4x4<f32> {
    let next = stride / 4u;
    return mat4x4(
        vec4<f32>(xbc[c]), vec4<f32>(xbc[c + next]), vec4<f32>(xbc[c + 2u * next]), vec4<f32>(xbc[c + 3u * next]),
    );
}

fn place_of(token: u32, head: u32) -> vec2<f32> {
    return moves[token * heads + head].yz;
}

// Places of four tokens: whole numbers, then fractions.
struct Places {
    whole: vec4<f32>,
    fraction: vec4<f32>,
}

fn places_of(token: u32, head: u32) -> Places {
    let a = place_of(token, head);
    let b = place_of(token + 1u, head);
    let c = place_of(token + 2u, head);
    let d = place_of(token + 3u, head);
    return Places(vec4(a.x, b.x, c.x, d.x), vec4(a.y, b.y, c.y, d.y));
}

fn left_to(begin: vec2<f32>, end: Places) -> vec4<f32> {
    return exp(clamp((begin.x - end.whole) + (begin.y - end.fraction), vec4(-200.0), vec4(0.0)));
}

// Weights of token j of the tile for four of its tokens from `first` on: none for those before j, and D for j itself.
fn own_weights(j: u32, first: u32, skip: f32, weights: vec4<f32>) -> vec4<f32> {
    let to = vec4(first, first + 1u, first + 2u, first + 3u);
    return select(vec4(0.0), weights, vec4(j) <= to) + select(vec4(0.0), vec4(skip), vec4(j) == to);
}

fn outer(x: vec4<f32>, m: vec4<f32>) -> mat4x4<f32> {
    return mat4x4(x * m.x, x * m.y, x * m.z, x * m.w);
}

fn scaled(four: mat4x4<f32>, by: vec4<f32>) -> mat4x4<f32> {
    return mat4x4(four[0] * by.x, four[1] * by.y, four[2] * by.z, four[3] * by.w);
}

fn finish(token: u32, head: u32, quad: u32, four: mat4x4<f32>) {
    for (var t = 0u; t < 4u; t++) {
        for (var p = 0u; p < 4u; p++) {
            if token + t < step.tokens && quad * 4u + p < head_dim {
                out[((token + t) * heads + head) * head_dim + quad * 4u + p] = Elem(four[t][p]);
            }
        }
    }
}
