# One case, as perf-lib.sh measured it, into rows for people (standard output) and for programs
# (appended to the file "rows").  Input, separated by tabs:
#
#	case    SCRIPT NAME SPEC FLOOR TARGET BYTES FILES UNIT LOAD
#	runner  KIND LABEL SPEC FLOOR TARGET FAILED RSS TIMES     KIND is build or peer
#	figure  LABEL FAILED VALUE
#
# FLOOR and TARGET: "500 MB/s", "1000 files/s", "60 s", "200 ms"; of a peer "1.25 x": the first
# build takes at most 1.25 times as long as the peer; of a figure "at most N", "at least N".

BEGIN {
	FS = "\t"
	most_memory = 97656
}

$1 == "case" {
	script = $2; name = $3; spec = $4; floor = $5; target = $6
	bytes = $7; files = $8; unit = $9; load = $10
}

$1 == "runner" {
	n++
	kind[n] = $2; label[n] = $3; its_spec[n] = $4; its_floor[n] = $5; its_target[n] = $6
	failed[n] = $7; rss[n] = $8
	count[n] = split($9, list, " ")
	for (i = 1; i <= count[n]; i++)
		time[n, i] = list[i]
	median[n] = middle(list, count[n])
	minimum[n] = count[n] ? list[1] : 0
}

$1 == "figure" {
	label[1] = $2
	verdicts(floor, target, $3 ? "failed" : "", judge_figure(floor, $4), judge_figure(target, $4))
	print_row($2 == "dig" ? name : name ": " $2, floor, target, "", $4 " " unit, "", 0, "")
	write_row("build", $2, spec, floor, target, 1, $4, $4, 0, unit, 0, "")
}

END {
	for (r = 1; r <= n; r++)
		report(r)
}

# Sorts list on the way.
function middle(list, size,    i, j, value)
{
	for (i = 2; i <= size; i++) {
		value = list[i] + 0
		for (j = i - 1; j >= 1 && list[j] + 0 > value; j--)
			list[j + 1] = list[j]
		list[j + 1] = value
	}
	if (!size)
		return 0
	return size % 2 ? list[(size + 1) / 2] : (list[size / 2] + list[size / 2 + 1]) / 2
}

# The median of the ratios round by round: what slows the machine down slows both of a pair.
function ratio(a, b,    i, list, pairs)
{
	if (!count[a] || !count[b])
		return 0
	if (count[a] != count[b])
		return median[a] / median[b]
	pairs = count[a]
	for (i = 1; i <= pairs; i++)
		list[i] = time[a, i] / time[b, i]
	return middle(list, pairs)
}

function report(r,    rate, its_unit, factor, f, t, title)
{
	factor = r == 1 ? 0 : kind[r] == "build" ? ratio(r, 1) : ratio(1, r)
	rate = 0
	if (median[r] && files)
		rate = files / median[r]
	else if (median[r] && bytes)
		rate = bytes / median[r] / 1048576
	its_unit = files ? "files/s" : bytes ? "MB/s" : ""
	f = kind[r] == "build" ? floor : its_floor[r]
	t = kind[r] == "build" ? target : its_target[r]
	if (kind[r] == "build")
		verdicts(f, t, failed[r], judge(f, r), judge(t, r))
	else
		verdicts(f, t, failed[r] || failed[1], judge_factor(f, factor), judge_factor(t, factor))
	if (kind[r] == "build" && rss[r] > most_memory)
		verdict = verdict (verdict ? ", " : "") "OVER 100 MB"
	title = r == 1 ? name (label[1] == "dig" ? "" : ": " label[1]) : "    " label[r]
	print_row(title, f, t, count[r] ? seconds(minimum[r]) : "", count[r] ? seconds(median[r]) : "",
		rate ? sprintf("%.*f %s", rate < 10 ? 2 : 0, rate, its_unit) : "", rss[r], factor)
	write_row(kind[r], label[r], kind[r] == "build" ? spec : its_spec[r], f, t, count[r], minimum[r],
		median[r], rate, its_unit, rss[r], factor)
}

function judge(expression, r,    part, rate)
{
	if (expression == "")
		return ""
	if (!count[r])
		return "missed"
	split(expression, part, " ")
	if (part[2] == "s" || part[2] == "ms")
		return median[r] <= part[1] / (part[2] == "ms" ? 1000 : 1) ? "met" : "missed"
	rate = part[2] == "files/s" ? files / median[r] : bytes / median[r] / 1048576
	return rate >= part[1] ? "met" : "missed"
}

function judge_factor(expression, factor)
{
	if (expression == "")
		return ""
	return factor && factor <= expression + 0 ? "met" : "missed"
}

function judge_figure(expression, value,    part)
{
	if (expression == "")
		return ""
	if (value !~ /^[0-9.]+(e[-+][0-9]+)?$/)
		return "missed"
	split(expression, part, " ")
	return (part[2] == "most" ? value + 0 <= part[3] + 0 : value + 0 >= part[3] + 0) ? "met" : "missed"
}

function verdicts(f, t, is_failed, of_floor, of_target)
{
	floor_verdict = f == "" ? "" : is_failed ? "missed" : of_floor
	target_verdict = t == "" ? "" : is_failed ? "missed" : of_target
	if (is_failed)
		verdict = "FAILED"
	else if (floor_verdict == "missed")
		verdict = "BELOW FLOOR"
	else if (target_verdict == "missed")
		verdict = "target missed"
	else
		verdict = floor_verdict target_verdict == "" ? "" : "met"
}

function seconds(value)
{
	if (value >= 10)
		return sprintf("%.1f s", value)
	if (value >= 1)
		return sprintf("%.2f s", value)
	return sprintf("%.*f ms", value < 0.1 ? 1 : 0, value * 1000)
}

function print_row(title, f, t, least, mid, rate, kib, factor)
{
	printf "%-58s %13s %13s %9s %9s %15s %8s %6s  %s\n", title, f, t, least, mid, rate, \
		kib ? sprintf("%.1f MB", kib * 1024 / 1000000) : "", factor ? sprintf("%.2f", factor) : "", verdict
}

function write_row(its_kind, its_label, its_spec, f, t, runs, least, mid, rate, its_unit, kib, factor)
{
	printf "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", script, name, \
		its_kind, its_label, runs, least, mid, rate, its_unit, kib, f, floor_verdict, t, \
		target_verdict, factor, its_spec, load, verdict >>rows
}
