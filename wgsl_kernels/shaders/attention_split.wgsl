alias Elem = f32;
// Attention of one token over the cache, cut into `splits` parts of the cache that attention_merge.wgsl puts together
// (Dao et al., Flash-Decoding, 2023). A workgroup takes up to four query heads of one group, one component of every
// vec4 for each, so that a key or a value is loaded once for the four; of the cache it takes every splits-th tile of WG
// rows. Scores: a lane owns a key. Weighted values: a lane owns four elements of the head and every GROUPS-th key.
const WG: u32 = 128u;
const UNSEEN: f32 = -3e38;

override heads: u32;
override kv_heads: u32;
override head_dim: u32;
override scale: f32;
override query_stride: u32;
override query_offset: u32;
override window: u32;  // 0: all
override splits: u32;

@group(0) @binding(0) var<uniform> step: Step;
@group(0) @binding(1) var<storage, read> query: array<Elem>;
@group(0) @binding(2) var<storage, read> key: array<vec4<Elem>>;
@group(0) @binding(3) var<storage, read> value: array<vec4<Elem>>;
@group(0) @binding(4) var<storage, read_write> mixes: array<vec4<f32>>; // [splits, heads, head_dim / 4]
@group(0) @binding(5) var<storage, read_write> sums: array<vec2<f32>>;  // [splits, heads] of (largest score, sum)

var<workgroup> queries: array<vec4<f32>, 256>; // [heads of the group, head_dim / 4]
var<workgroup> mixed: array<mat4x4<f32>, WG>;

fn group_heads() -> u32 {
    return heads / kv_heads;
}

// Head `i` of the four that a workgroup has; the last of the group again where there are fewer.
fn head_of(kv_head: u32, first: u32, i: u32) -> u32 {
    return kv_head * group_heads() + min(first + i, group_heads() - 1u);
}

fn load_queries(kv_head: u32, first: u32, lane: u32) {
    let quads = head_dim / 4u;
    for (var i = lane; i < 4u * quads; i += WG) {
        let at = query_offset + head_of(kv_head, first, i / quads) * head_dim + i % quads * 4u;
        queries[i] = scale * vec4(f32(query[at]), f32(query[at + 1u]), f32(query[at + 2u]), f32(query[at + 3u]));
    }
}

fn cache_row(kv_head: u32, row: u32) -> u32 {
    return (row * kv_heads + kv_head) * (head_dim / 4u);
}

fn scores(kv_head: u32, row: u32) -> vec4<f32> {
    let quads = head_dim / 4u;
    let at = cache_row(kv_head, row);
    var sum = vec4(0.0);
    for (var d = 0u; d < quads; d++) {
        let k = vec4<f32>(key[at + d]);
        sum += vec4(
            dot(queries[d], k),
            dot(queries[quads + d], k),
            dot(queries[2u * quads + d], k),
            dot(queries[3u * quads + d], k),
        );
    }
    return capped(sum);
}

// The values of `count` rows from `base` on, weighted by the shelf, of which this lane takes its quad and its keys.
fn weighted_values(kv_head: u32, base: u32, count: u32, lane: u32) -> mat4x4<f32> {
    let quads = head_dim / 4u;
    let groups = WG / quads;
    var sum = mat4x4<f32>();
    if lane / quads < groups {
        for (var i = lane / quads; i < count; i += groups) {
            let v = vec4<f32>(value[cache_row(kv_head, base + i) + lane % quads]);
            let w = shelf[i];
            sum += mat4x4(w.x * v, w.y * v, w.z * v, w.w * v);
        }
    }
    return sum;
}

fn faded(mix: mat4x4<f32>, fade: vec4<f32>) -> mat4x4<f32> {
    return mat4x4(fade.x * mix[0], fade.y * mix[1], fade.z * mix[2], fade.w * mix[3]);
}

// Adds the lanes' parts up, and writes what this split knows of its heads.
fn write_split(split: u32, kv_head: u32, first: u32, best: vec4<f32>, total: vec4<f32>, lane: u32) {
    let quads = head_dim / 4u;
    for (var i = lane; i < 4u * quads; i += WG) {
        let c = i / quads;
        var sum = vec4(0.0);
        for (var other = i % quads; other < WG / quads * quads; other += quads) {
            sum += mixed[other][c];
        }
        if first + c < group_heads() {
            mixes[(split * heads + head_of(kv_head, first, c)) * quads + i % quads] = sum;
        }
    }
    if lane < 4u && first + lane < group_heads() {
        sums[split * heads + head_of(kv_head, first, lane)] = vec2(best[lane], total[lane]);
    }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let fours = (group_heads() + 3u) / 4u;
    let kv_head = group.x / fours;
    let first = group.x % fours * 4u;
    let end = step.past + 1u;
    let low = select(0u, end - min(end, window), window != 0u);
    if group.y * WG >= end - low {
        return;
    }
    load_queries(kv_head, first, lane);
    workgroupBarrier();
    var best = vec4(UNSEEN);
    var total = vec4(0.0);
    var mix = mat4x4<f32>();
    for (var base = low + group.y * WG; base < end; base += splits * WG) {
        let row = base + lane;
        var score = vec4(UNSEEN);
        if row < end {
            score = scores(kv_head, row);
        }
        let top = max(best, fold_max(score, lane));
        let fade = exp(best - top);
        let weight = select(vec4(0.0), exp(score - top), row < end);
        best = top;
        total = total * fade + weight;
        shelf[lane] = weight;
        workgroupBarrier();
        mix = faded(mix, fade) + weighted_values(kv_head, base, min(end - base, WG), lane);
        workgroupBarrier();
    }
    let whole = fold_sum(total, lane);
    mixed[lane] = mix;
    workgroupBarrier();
    write_split(group.y, kv_head, first, best, whole, lane);
}
