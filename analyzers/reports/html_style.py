"""The style of the HTML report: one sheet inside the page, for light and dark screens, phones and paper."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--paper:#fff;--card:#f6f8fa;--line:#d0d7de;--link:#0550ae;
--critical:#a40e26;--high:#bc4c00;--medium:#7d5500;--low:#57606a;--good:#116329;--warn:#fff4d6}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9da7b1;--paper:#0d1117;--card:#161b22;--line:#30363d;--link:#79b8ff;
--critical:#ff8a95;--high:#ffab70;--medium:#e3c06a;--low:#9da7b1;--good:#7ee787;--warn:#2f2710}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:88rem;padding:1.5rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{font-size:1.5rem;line-height:1.3;margin:0 0 .25rem}
h2{font-size:1.1rem;margin:2rem 0 .5rem}
h2 small{color:var(--soft);font-weight:400}
a{color:var(--link)}
code{font:.875em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--card);border-radius:.25rem;
padding:.05em .3em;overflow-wrap:anywhere}
.soft{color:var(--soft)}
.about{margin:0 0 1rem;color:var(--soft);overflow-wrap:anywhere}
.warn{background:var(--warn);border-left:.25rem solid var(--high);padding:.5rem .75rem;margin:1rem 0}
nav ul,.levels{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;margin:0 0 1rem;padding:0}
nav a{display:block;border:1px solid var(--line);border-radius:2rem;padding:.1rem .75rem;text-decoration:none}
.wide{overflow-x:auto;border:1px solid var(--line);border-radius:.4rem}
table{border-collapse:collapse;width:100%;min-width:44rem}
th,td{text-align:left;vertical-align:top;padding:.5rem .75rem;border-top:1px solid var(--line)}
thead th{border-top:0;background:var(--card);font-size:.85rem;white-space:nowrap}
td.ports{min-width:7rem}
td p{margin:.25rem 0 0}
td p:first-child{margin:0}
.level{font-weight:600;white-space:nowrap}
.critical{color:var(--critical)}.high{color:var(--high)}.medium{color:var(--medium)}.low{color:var(--low)}
details summary{cursor:pointer}
ul,ol{margin:.25rem 0;padding-left:1.4rem}
li{margin:.15rem 0;overflow-wrap:anywhere}
footer{margin-top:2.5rem;padding-top:.75rem;border-top:1px solid var(--line);color:var(--soft);font-size:.875rem;overflow-wrap:anywhere}
@media (max-width:48rem){body{padding:1rem}table{min-width:0}thead{display:none}tr{display:block;border-top:1px solid var(--line);
padding:.5rem 0}td{display:block;border:0;padding:.15rem .75rem}tbody tr:first-child{border-top:0}
td.from::before{content:"from "}td.to::before{content:"to "}td.ports::before{content:"on "}
td::before{color:var(--soft)}}
@media print{body{max-width:none;padding:0}.wide{overflow:visible;border:0}nav{display:none}}
"""
