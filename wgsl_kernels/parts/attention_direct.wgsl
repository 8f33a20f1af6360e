// Attention without workgroup memory and barriers, for adapters in software: a lane owns a token of one head and walks
// the keys that it sees in tiles, with an online softmax. The weights of a tile, and what they mix, are the lane's own.
// The kernel's file says which keys a token sees (`visible`, first and end), what becomes of the scores of four keys
// (`capped`) and where a row starts (`key_row`, `value_row`).
const QUERIES: u32 = WG;
const TILE: u32 = 32u;
const UNSEEN: f32 = -3e38;

override heads: u32;
override head_dim: u32;
override scale: f32;
override query_stride: u32;
override query_offset: u32;

@group(0) @binding(1) var<storage, read> query: array<Elem>;
@group(0) @binding(2) var<storage, read> key: array<Elem>;
@group(0) @binding(3) var<storage, read> value: array<Elem>;
@group(0) @binding(4) var<storage, read_write> out: array<Elem>; // [tokens, heads * head_dim]

var<private> shares: array<f32, TILE>; // scores of a tile, then their weights
var<private> mix: array<f32, 256>;

// The scores of four keys from `row` on; past `end`, those of the last one again.
fn scores(head: u32, at: u32, row: u32, end: u32) -> vec4<f32> {
    let four = min(vec4(row) + vec4(0u, 1u, 2u, 3u), vec4(end - 1u));
    let keys = vec4(key_row(head, four.x), key_row(head, four.y), key_row(head, four.z), key_row(head, four.w));
    var sum = vec4(0.0);
    for (var d = 0u; d < head_dim; d++) {
        let k = keys + d;
        sum += f32(query[at + d]) * vec4<f32>(vec4(key[k.x], key[k.y], key[k.z], key[k.w]));
    }
    return capped(sum * scale);
}

// Leaves the scores of `count` keys from `base` on in `shares`, and gives the largest.
fn score_tile(head: u32, at: u32, base: u32, count: u32) -> f32 {
    var best = UNSEEN;
    for (var i = 0u; i < count; i += 4u) {
        let four = scores(head, at, base + i, base + count);
        best = max(best, max(max(four.x, four.y), max(four.z, four.w)));
        for (var j = 0u; j < 4u; j++) {
            shares[i + j] = four[j];
        }
    }
    return best;
}

fn value_rows(head: u32, row: u32, end: u32) -> vec4<u32> {
    let four = min(vec4(row) + vec4(0u, 1u, 2u, 3u), vec4(end - 1u));
    return vec4(value_row(head, four.x), value_row(head, four.y), value_row(head, four.z), value_row(head, four.w));
}

// Past the `count` keys, up to a whole four, weights are 0.
fn weigh_tile(count: u32, best: f32) -> f32 {
    var total = 0.0;
    for (var i = 0u; i < (count + 3u) / 4u * 4u; i++) {
        let weight = select(0.0, exp(shares[i] - best), i < count);
        shares[i] = weight;
        total += weight;
    }
    return total;
}

// `fade` is 0 for the first tile, and what is mixed before it is not read.
fn mix_tile(head: u32, base: u32, count: u32, fade: f32) {
    for (var d = 0u; d < head_dim; d++) {
        var sum = 0.0;
        if fade != 0.0 {
            sum = mix[d] * fade;
        }
        for (var i = 0u; i < count; i += 4u) {
            let v = value_rows(head, base + i, base + count) + d;
            let four = vec4(shares[i], shares[i + 1u], shares[i + 2u], shares[i + 3u]);
            sum += dot(four, vec4<f32>(vec4(value[v.x], value[v.y], value[v.z], value[v.w])));
        }
        mix[d] = sum;
    }
}

fn attend(head: u32, first_token: u32, lane: u32) {
    let token = first_token + lane;
    if token >= step.tokens {
        return;
    }
    let at = token * query_stride + query_offset + head * head_dim;
    let range = visible(token);
    var best = UNSEEN;
    var total = 0.0;
    for (var base = range.x; base < range.y; base += TILE) {
        let count = min(range.y - base, TILE);
        let top = max(best, score_tile(head, at, base, count));
        let fade = exp(best - top);
        best = top;
        total = total * fade + weigh_tile(count, top);
        mix_tile(head, base, count, fade);
    }
    for (var d = 0u; d < head_dim; d++) {
        out[(token * heads + head) * head_dim + d] = Elem(mix[d] / total);
    }
}
