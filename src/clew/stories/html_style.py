"""The stylesheet of a story in one file. It is hashed in the file's own policy."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#59636e;--line:#d8dee4;--soft:#f5f7f9;
--done:#2f7d4f;--bad:#c21f2e;--warn:#9a6200;--open:#2563a8;--unknown:#6b7480;--badbg:#fff1f1}
@media (prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e4e8ec;--dim:#9aa4af;--line:#30363d;
--soft:#1c2126;--done:#4fb477;--bad:#ff7b7b;--warn:#e0a640;--open:#6cb0ff;--unknown:#8b949e;
--badbg:#2a1719}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}
main{max-width:1100px;margin:0 auto;padding:1.25rem}
h1{font-size:1.25rem;margin:0 0 .25rem;font-weight:600;overflow-wrap:anywhere}
h2{font-size:1rem;margin:0 0 .5rem}
code,pre,.row,.when,.took,.ids,.facts i{font-family:ui-monospace,Consolas,monospace;
font-size:.86rem}
.dim,.facts,footer,.by,.field,.at{color:var(--dim)}
.facts{margin:0 0 1rem;overflow-wrap:anywhere}
.facts span{margin-right:1rem}
.facts i{font-style:normal}
.verdict{color:var(--done);font-weight:600}
.verdict.open{color:var(--open)}
.broke{border:1px solid var(--bad);border-left-width:5px;background:var(--badbg);
border-radius:6px;padding:.75rem 1rem;margin:0 0 1rem;overflow-wrap:anywhere}
.broke h2{color:var(--bad)}
.broke ol{margin:0;padding-left:1.25rem}
.note{color:var(--warn)}
a{color:inherit}
.axis{display:flex;justify-content:space-between;color:var(--dim);font-size:.78rem;
padding:0 .75rem}
details{border-top:1px solid var(--line)}
details:last-of-type{border-bottom:1px solid var(--line)}
summary{cursor:pointer;padding:.4rem .25rem;display:grid;
grid-template-columns:minmax(0,1fr) 6rem 6rem;gap:0 .75rem;align-items:baseline}
summary:hover{background:var(--soft)}
summary:focus-visible{outline:2px solid var(--open)}
.who{overflow-wrap:anywhere}
.by{font-style:normal;margin-left:.35rem}
.word{font-style:normal;font-weight:600;margin-left:.35rem;color:var(--tone)}
.small{font-size:.8rem;color:var(--dim);margin-left:.35rem}
.when,.took{text-align:right;white-space:nowrap}
.bar{grid-column:1/-1;width:100%;height:14px;display:block}
.grid{stroke:var(--line);fill:none;vector-effect:non-scaling-stroke}
.mark{stroke:var(--bg);stroke-width:2;fill:none;vector-effect:non-scaling-stroke}
.lost{stroke:var(--tone);stroke-width:3;fill:none;vector-effect:non-scaling-stroke}
.bar rect{fill:var(--tone)}
.done{--tone:var(--done)}.bad{--tone:var(--bad)}.warn,.letter{--tone:var(--warn)}
.open{--tone:var(--open)}.unknown{--tone:var(--unknown)}
.inside{padding:.25rem .5rem .75rem;border-left:3px solid var(--tone);margin-left:.25rem}
.row{display:grid;grid-template-columns:5.5rem 5rem minmax(0,1fr);gap:0 .5rem;
overflow-wrap:anywhere}
.row.error .level,.thrown,.broken{color:var(--bad)}
.row.warning .level{color:var(--warn)}
.row.debug{color:var(--dim)}
.thrown{display:block}
.broken{font-weight:600;margin:.25rem 0;overflow-wrap:anywhere}
.ids{margin:.25rem 0;overflow-wrap:anywhere}
pre{margin:.25rem 0;white-space:pre-wrap;overflow-wrap:anywhere;color:var(--dim)}
footer{margin-top:1.5rem;font-size:.8rem;overflow-wrap:anywhere}
.d1{padding-left:.9rem}.d2{padding-left:1.8rem}.d3{padding-left:2.7rem}.d4{padding-left:3.6rem}
.d5{padding-left:4.5rem}.d6{padding-left:5.4rem}.d7{padding-left:6.3rem}.d8{padding-left:7.2rem}
.d9{padding-left:8.1rem}.d10{padding-left:9rem}
@media (max-width:640px){main{padding:.75rem}
summary{grid-template-columns:minmax(0,1fr) auto auto}
.row{grid-template-columns:auto minmax(0,1fr)}.row .said{grid-column:1/-1}
.d1,.d2,.d3,.d4,.d5,.d6,.d7,.d8,.d9,.d10{padding-left:calc(var(--deep,1)*.35rem)}
.d2{--deep:2}.d3{--deep:3}.d4{--deep:4}.d5{--deep:5}.d6{--deep:6}.d7{--deep:7}.d8{--deep:8}
.d9{--deep:9}.d10{--deep:10}}
@media print{details>.inside{display:block}summary{cursor:auto}}
"""
