// The soft cap of attention scores: softcap * tanh(score / softcap).
override softcap: f32; // 0: none

fn capped(score: vec4<f32>) -> vec4<f32> {
    if softcap == 0.0 {
        return score;
    }
    return softcap * tanh(clamp(score / softcap, vec4(-15.0), vec4(15.0))); // tanh is 1 in f32 from 10 on
}
