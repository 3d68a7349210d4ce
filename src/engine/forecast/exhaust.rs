use super::{fit::Fit, P};
use crate::model::time::Minute;
use std::collections::VecDeque;
pub const WIN: [usize; 9] = [1, 3, 6, 12, 24, 48, 72, 120, 168];
#[derive(Clone, Debug, Default)]
pub struct Busy { last5: VecDeque<f64>, hour_peak: f64, qsum: f64, qn: f64, qmax: f64, pub kappa: f64, pub kvar: f64, pub kn: f64,
  peaks: VecDeque<f64>, // hourly ln peaks, last 168
  pending: [VecDeque<(f32)>; 9], pub bias: [f64; 9], pub mae: [f64; 9], pub n: [f64; 9], pub cum: Vec<f64> }
pub fn phi(x: f64) -> f64 { // logistic-ish normal cdf
  let t = 1.0/(1.0+0.2316419*x.abs()); let d = 0.3989423*(-x*x/2.0).exp(); let p = d*t*(0.3193815+t*(-0.3565638+t*(1.781478+t*(-1.821256+t*1.330274)))); if x > 0.0 {1.0-p} else {p} }
impl Busy {
    pub fn push(&mut self, minute: Minute, v: Option<f64>) {
        if self.last5.len()==5 { self.last5.pop_front(); } self.last5.push_back(v.unwrap_or(0.0));
        let mut s: Vec<f64> = self.last5.iter().copied().collect(); s.sort_by(|a,b| b.total_cmp(a)); if s.len()>=3 { self.hour_peak = self.hour_peak.max(s[2]); }
        if let Some(v) = v { self.qsum += v; self.qn += 1.0; }
        if minute.0.rem_euclid(15)==14 { if self.qn>=5.0 { self.qmax = self.qmax.max(self.qsum/self.qn); } self.qsum=0.0; self.qn=0.0; }
    }
    /// at the end of an hour: before the new fit
    pub fn hour(&mut self, p: &P) {
        let d = 0.985;
        if self.hour_peak > 0.0 && self.qmax > 0.0 { let k = (self.hour_peak/self.qmax).ln().min(1.0); self.kappa = self.kappa*d + k; self.kvar = self.kvar*d + k*k; self.kn = self.kn*d + 1.0; }
        if self.peaks.len()==168 { self.peaks.pop_front(); } self.peaks.push_back(if self.hour_peak>0.0 { self.hour_peak.ln() } else { f64::NEG_INFINITY });
        self.hour_peak = 0.0; self.qmax = 0.0;
        for k in 0..9 { if self.pending[k].len()==WIN[k] { let was = self.pending[k].pop_front().unwrap() as f64; let act = self.peaks.iter().rev().take(WIN[k]).copied().fold(f64::NEG_INFINITY, f64::max); let e = (act-was).clamp(-0.7,0.7); if e.is_finite() { let dd = p.0[20]; let c = if self.n[k]>0.0 { self.bias[k]/self.n[k] } else {0.0}; self.mae[k]=self.mae[k]*dd+(e-c).abs(); self.bias[k]=self.bias[k]*dd+e; self.n[k]=self.n[k]*dd+1.0; } } }
    }
    /// cumulative max of forecast ln peaks by hour
    pub fn cum(&self, f: &Fit) -> Vec<f64> {
        let k = if self.kn>0.0 { self.kappa/self.kn } else {0.1};
        let mut m = f64::NEG_INFINITY; let start = f.now;
        (0..168).map(|h| { for q in 0..4 { let v = f.median(start.plus(h*60+q*15), 15).ln()+k; if v>m { m=v; } } m }).collect()
    }
    pub fn promise(&mut self, cum: &[f64]) { for k in 0..9 { self.pending[k].push_back(cum[WIN[k]-1] as f32); } }
    pub fn stat(&self, hours: f64, f: &Fit, p: &P) -> (f64, f64) {
        let s: Vec<(f64,f64)> = (0..9).map(|k| { let w0 = p.0[21]; let prior = p.0[22] + p.0[23]*(WIN[k] as f64).ln(); let b = self.bias[k]/(self.n[k]+w0); let s = 1.2533*(self.mae[k]+w0*prior)/(self.n[k]+w0); (b,s) }).collect();
        let x = hours.max(1.0); let mut v = s[8]; for k in 0..8 { let (a,b)=(WIN[k] as f64, WIN[k+1] as f64); if x<=b { let t=((x.ln()-a.ln())/(b.ln()-a.ln())).max(0.0); v=(s[k].0+t*(s[k+1].0-s[k].0), s[k].1+t*(s[k+1].1-s[k].1)); break; } }
        let now = f.now.0 as f64/1440.0; let td = p.0[24]*f.trend.sd(now+hours/24.0); (v.0, (v.1*v.1+td*td).sqrt())
    }
    /// P(exhaustion within h hours), h = 1..=168
    pub fn probs(&self, hourly: &[f64], f: &Fit, quota: f64, p: &P) -> Vec<f64> {
        let w0 = p.0[21]; let n = self.n[4];
        let bias = (self.bias[4]+w0*p.0[26])/(n+w0); let s = 1.2533*(self.mae24()+w0*p.0[22])/(n+w0);
        let (b1, s1) = ((self.bias[0]+w0*p.0[28])/(self.n[0]+w0), 1.2533*(self.mae[0]+w0*p.0[23])/(self.n[0]+w0));
        let rho = p.0[27]; let q = quota.ln(); let now = f.now.0 as f64/1440.0;
        let mut out = vec![0.0; 168]; const Z: [f64;7] = [-1.803,-1.068,-0.5244,0.0,0.5244,1.068,1.803]; 
        for z in Z { let mut surv = 1.0; for b in 0..7 { let mut m = f64::NEG_INFINITY; let td = p.0[24]*f.trend.sd(now+b as f64+0.5); let mut best: f64 = 0.0;
            for h in 0..24 { m = m.max(hourly[b*24+h]);
                // the first hours are known better
                let k = if b==0 { (h as f64/12.0).min(1.0) } else {1.0}; let (bi, si) = (b1+(bias-b1)*k, s1+(s-s1)*k);
                let sh = (rho*si*si + td*td).sqrt(); let id = si*(1.0-rho).sqrt();
                best = best.max(phi((m + bi + sh*z - q)/id)); out[b*24+h] += (1.0 - surv*(1.0-best))/7.0; }
            surv *= 1.0-best; } }
        out
    }
    fn mae24(&self) -> f64 { self.mae[4] }
    pub fn hourly(&self, f: &Fit) -> Vec<f64> {
        let k = if self.kn>0.0 { self.kappa/self.kn } else {0.1};
        (0..168).map(|h| (0..4).map(|q| f.median(f.now.plus(h*60+q*15), 15).max(1e-9).ln()+k).fold(f64::NEG_INFINITY, f64::max)).collect()
    }
}
