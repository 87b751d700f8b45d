<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Schema history of ${report.database}</title>
<style>
  body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #1c1c1c; background: #fff }
  h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
  table { border-collapse: collapse; width: 100% } caption { text-align: left; color: #555; padding-bottom: .3rem }
  th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #ddd; overflow-wrap: anywhere }
  th { background: #f4f4f4 } code, .mono { font: 13px ui-monospace, monospace }
  .yes { color: #0a6b2d; font-weight: 600 } .no { color: #a3140a; font-weight: 600 }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem } dt { color: #555 } dd { margin: 0 }
  @media print { body { margin: 0; max-width: none } tr { break-inside: avoid } }
</style>
</head>
<body>
<h1>Schema history of ${report.database}</h1>
<dl>
  <dt>made</dt><dd>${report.made.strftime("%Y-%m-%d %H:%M:%S")} UTC</dd>
% if report.as_of:
  <dt>as of</dt><dd>${report.as_of.strftime("%Y-%m-%d %H:%M:%S")} UTC (the record up to then; the checks are those of today)</dd>
% endif
  <dt>server</dt><dd>PostgreSQL ${report.server}</dd>
  <dt>head of the history</dt><dd><code>${report.head or "none"}</code></dd>
  <dt>the database is at</dt><dd><code>${", ".join(report.version) or "no revision"}</code></dd>
</dl>

<h2>What can be checked</h2>
<table>
<thead><tr><th>check</th><th>holds</th><th></th></tr></thead>
<tbody>
% for check in report.checks:
<tr><td>${check.name}</td><td class="${"yes" if check.ok else "no"}">${"yes" if check.ok else "no"}</td><td>${check.told}</td></tr>
% endfor
</tbody>
</table>

<h2>The history</h2>
<table>
<caption>${len(report.lines)} revisions, in their order. How: by Alembic, by a start (boot), held (found there), taken back, or not there.</caption>
<thead><tr><th>revision</th><th>kind</th><th>steps</th><th>proof</th><th>how</th><th>when (UTC)</th><th>entry</th><th>file</th></tr></thead>
<tbody>
% for line in report.lines:
<tr><td class="mono">${line.revision}</td><td>${line.kind}</td><td>${", ".join(line.steps)}</td><td>${line.proof}</td><td>${line.how}</td><td>${line.at.strftime("%Y-%m-%d %H:%M:%S") if line.at else ""}</td><td>${line.entry or ""}</td><td class="mono">${line.file}</td></tr>
% endfor
</tbody>
</table>

<h2>The record</h2>
<table>
<caption>${len(report.entries)} entries, oldest first. Each holds the hash of the one before.</caption>
<thead><tr><th>entry</th><th>when (UTC)</th><th>driver</th><th>event</th><th>subject</th><th>outcome</th><th>what</th><th>hash</th></tr></thead>
<tbody>
% for entry in report.entries:
<tr><td>${entry.seq}</td><td>${entry.at.strftime("%Y-%m-%d %H:%M:%S")}</td><td>${entry.draft.driver}</td><td>${entry.draft.event}</td><td>${entry.draft.subject}</td><td>${entry.draft.outcome}</td><td>${told(entry)}</td><td class="mono">${entry.hash[:15]}</td></tr>
% endfor
</tbody>
</table>

<h2>How to check it yourself</h2>
<dl>
  <dt><code>omega-bridge ledger verify</code></dt><dd>whether anyone touched the record</dd>
  <dt><code>omega-bridge export --check</code></dt><dd>whether the history is as it was exported, and holds the list</dd>
  <dt><code>omega-bridge verify</code></dt><dd>whether a start and the history lead to the same schema, on scratch databases</dd>
  <dt><code>alembic history -v</code></dt><dd>each revision with its step, its place in the source, and what it does</dd>
</dl>
</body>
</html>
