// Attention of four neighbouring tokens of one head, one component of every vec4 for each: a key or value is loaded
// once for the four. Online softmax over tiles of WG keys (Milakov and Gimelshein, 2018; Dao et al., 2022).
//
// Scores: a lane owns a key. Weighted values: a lane owns an element of the head, and where head_dim is less than
// WG, several groups of lanes share out the keys. The kernel's file says which keys a token sees (`visible`, first
// and end), what becomes of a score (`capped`) and where a row starts (`key_row`, `value_row`).
const QUERIES: u32 = 4u;
const MOST_STRIPS: u32 = 256u / WG;
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

var<workgroup> queries: array<vec4<f32>, 256>;
var<private> mix: array<vec4<f32>, MOST_STRIPS>;

// Elements of a head that a lane owns.
fn strips() -> u32 {
    return min((head_dim + WG - 1u) / WG, MOST_STRIPS);
}

// Past the last token, the last one again: its result is not written.
fn query_token(token: u32, i: u32) -> u32 {
    return min(token + i, step.tokens - 1u);
}

fn load_queries(head: u32, token: u32, lane: u32) {
    for (var d = lane; d < head_dim; d += WG) {
        var four = vec4(0.0);
        for (var i = 0u; i < QUERIES; i++) {
            four[i] = f32(query[query_token(token, i) * query_stride + query_offset + head * head_dim + d]);
        }
        queries[d] = four * scale;
    }
}

fn scores(head: u32, row: u32) -> vec4<f32> {
    let at = key_row(head, row);
    var sum = vec4(0.0);
    for (var d = 0u; d < head_dim; d++) {
        sum += queries[d] * f32(key[at + d]);
    }
    return capped(sum);
}

// Adds the `count` values from row `base` on, weighted by what lies on the shelf.
fn add_values(head: u32, base: u32, count: u32, lane: u32) {
    let groups = max(WG / head_dim, 1u);
    let group = lane / head_dim;
    for (var strip = 0u; strip < strips(); strip++) {
        let d = lane % head_dim + strip * WG;
        if group >= groups || d >= head_dim {
            continue;
        }
        var sum = mix[strip];
        for (var i = group; i < count; i += groups) {
            sum += shelf[i] * f32(value[value_row(head, base + i) + d]);
        }
        mix[strip] = sum;
    }
}

// Adds up what the groups left on the shelf for element `d` and writes it for each of the tokens.
fn write_element(head: u32, token: u32, total: vec4<f32>, d: u32, lane: u32) {
    var sum = shelf[lane];
    for (var other = lane + head_dim; other < max(WG / head_dim, 1u) * head_dim; other += head_dim) {
        sum += shelf[other];
    }
    for (var i = 0u; i < QUERIES && token + i < step.tokens; i++) {
        out[((token + i) * heads + head) * head_dim + d] = Elem(sum[i] / total[i]);
    }
}

fn write_mix(head: u32, token: u32, total: vec4<f32>, lane: u32) {
    for (var strip = 0u; strip < strips(); strip++) {
        workgroupBarrier();
        shelf[lane] = mix[strip];
        workgroupBarrier();
        if lane + strip * WG < head_dim {
            write_element(head, token, total, lane + strip * WG, lane);
        }
    }
}

fn attend(head: u32, token: u32, lane: u32) {
    var first: vec4<u32>;
    var end: vec4<u32>;
    for (var i = 0u; i < QUERIES; i++) {
        let range = visible(query_token(token, i));
        first[i] = range.x;
        end[i] = range.y;
    }
    let low = min(min(first.x, first.y), min(first.z, first.w));
    let high = max(max(end.x, end.y), max(end.z, end.w));
    load_queries(head, token, lane);
    workgroupBarrier();
    var best = vec4(UNSEEN);
    var total = vec4(0.0);
    for (var base = low; base < high; base += WG) {
        let row = base + lane;
        let seen = (vec4(row) >= first) & (vec4(row) < end);
        var score = vec4(UNSEEN);
        if any(seen) {
            score = select(score, scores(head, row), seen);
        }
        let top = max(best, fold_max(score, lane));
        let weight = select(vec4(0.0), exp(score - top), seen);
        let fade = exp(best - top);
        best = top;
        total = total * fade + weight;
        for (var strip = 0u; strip < strips(); strip++) {
            mix[strip] *= fade;
        }
        shelf[lane] = weight;
        workgroupBarrier();
        add_values(head, base, min(high - base, WG), lane);
        workgroupBarrier();
    }
    write_mix(head, token, fold_sum(total, lane), lane);
}
