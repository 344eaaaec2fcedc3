"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
  const exact = new Intl.NumberFormat("en");
  const narrowBelow = 480;
  let drawn = [];

  const colour = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();
  const isNarrow = (canvas) => canvas.parentElement.clientWidth < narrowBelow;
  const short = (figure, value) => (figure.money ? compact : exact).format(value);

  function wrapped(text, longest) {
    const lines = [""];
    for (const word of text.split(" ")) {
      const line = lines[lines.length - 1];
      if (line && line.length + 1 + word.length > longest) lines.push(word);
      else lines[lines.length - 1] = line ? line + " " + word : word;
    }
    return lines;
  }

  // The width in pixels of the longest of these texts, so that a chart leaves room for it.
  function widest(canvas, font, texts) {
    const ctx = canvas.getContext("2d");
    ctx.save();
    ctx.font = font;
    const width = Math.max(...texts.map((text) => ctx.measureText(text).width));
    ctx.restore();
    return Math.ceil(width);
  }

  function tooltip(callbacks) {
    return {
      backgroundColor: colour("text"), titleColor: colour("surface"), bodyColor: colour("surface"),
      padding: 10, cornerRadius: 8, callbacks,
    };
  }

  // A narrow chart shows where records ended and leaves out the stages between.
  function links(figure, narrow) {
    const byId = new Map(figure.nodes.map((node) => [node.id, node]));
    const isTrunk = (node) => figure.nodes.some((other) => other.parent === node.id && other.value > 0);
    const first = figure.nodes[0];
    return figure.nodes
      .filter((node) => node.parent && node.value > 0 && !(narrow && isTrunk(node)))
      .map((node) => {
        const from = narrow ? first : byId.get(node.parent);
        return { from: from.id, to: node.id, flow: node.value, node, source: from, isEnd: !isTrunk(node) };
      });
  }

  // The layout moves a stage down by all that leaves the stage before it for a later column. An
  // invisible thread through the columns takes that upon itself, so that the trunk stays on top.
  function thread(data) {
    const columns = new Set(data.map((link) => link.from)).size;
    const flow = 1e-9 * Math.max(...data.map((link) => link.flow));
    return Array.from({ length: columns }, (_, at) => ({ from: "thread" + at, to: "thread" + (at + 1), flow }));
  }

  function flow(figure, canvas) {
    const narrow = isNarrow(canvas);
    const seen = links(figure, narrow);
    const data = [...seen, ...thread(seen)];
    const ends = new Set(seen.filter((link) => link.isEnd).map((link) => link.to));
    const isSeen = (key) => !key.startsWith("thread");
    // Ends other than the one that continues the trunk keep a distance for their labels.
    const isBranch = (node) => ends.has(node.key) && node.key !== figure.nodes.find((it) => ends.has(it.id)).id;
    const labels = {};
    const priority = {};
    for (const { from, to } of thread(seen)) {
      labels[from] = labels[to] = "";
      priority[from] = priority[to] = -1;
    }
    figure.nodes.forEach((node, at) => {
      const number = short(figure, node.value);
      labels[node.id] = ends.has(node.id) ? node.label + "  " + number : node.label + "\n" + number;
      priority[node.id] = at;
    });
    const font = Chart.helpers.toFont({ size: 12 }).string;
    const right = Math.max(narrow ? 172 : 182, widest(canvas, font, [...ends].map((id) => labels[id])) + 26);
    // The label of the first node is written above it, to both of its sides.
    const left = Math.max(36, widest(canvas, font, labels[figure.nodes[0].id].split("\n")) / 2 + 4);
    const paint = (end) => ({ dataIndex }) => {
      const key = data[dataIndex]?.[end] ?? "thread";
      return isSeen(key) ? colour(key) : "transparent";
    };
    return {
      type: "sankey",
      data: { datasets: [{
        data, labels, priority,
        colorFrom: paint("from"), colorTo: paint("to"), hoverColorFrom: paint("from"), hoverColorTo: paint("to"),
        flowColor: ({ dataIndex }) => (dataIndex < seen.length ? null : "rgba(0, 0, 0, 0)"),
        alpha: 0.35, borderWidth: 0, nodeWidth: 12,
        nodeMinSize: (node) => (isSeen(node.key) ? 3 : 0),
        nodePadding: (node) => ({ before: isBranch(node) ? 20 : 0, after: 0 }),
        nodeLabels: {
          color: colour("text"), padding: 6, font: { size: 12 },
          position: (node) => (ends.has(node.key) ? "right" : "top"),
        },
      }] },
      options: {
        layout: { padding: { top: 40, right, bottom: 12, left } },
        plugins: { tooltip: { ...tooltip({ label: ({ dataIndex }) => {
          const link = data[dataIndex];
          return link.source.label + " \u2192 " + link.node.label + ": " + link.node.text;
        } }), filter: ({ dataIndex }) => dataIndex < seen.length } },
      },
    };
  }

  const endFont = (figure, narrow) => Chart.helpers.toFont({ size: narrow && !figure.stacked ? 10 : 12 }).string;

  // What is written at the ends of a figure's bars, bar by bar: of a stack its sum.
  const endTexts = (figure, at) => {
    const values = figure.series.map((series) => series.values[at]);
    return (figure.stacked ? [values.reduce((all, it) => all + it, 0)] : values).map((it) => short(figure, it));
  };

  // Writes what a bar, or a stack of bars, comes to at its end.
  const ends = {
    id: "ends",
    afterDatasetsDraw(chart, _, figure) {
      const { ctx } = chart;
      ctx.save();
      ctx.font = endFont(figure, isNarrow(chart.canvas));
      ctx.fillStyle = colour("text");
      figure.labels.forEach((_label, at) => {
        const bars = figure.series.map((_series, of) => chart.getDatasetMeta(of).data[at]);
        const far = figure.horizontal ? Math.max(...bars.map((it) => it.x)) : Math.min(...bars.map((it) => it.y));
        endTexts(figure, at).forEach((text, of) => {
          const bar = bars[of];
          const end = figure.stacked ? far : bar.y;
          ctx.textAlign = figure.horizontal ? "left" : "center";
          ctx.textBaseline = figure.horizontal ? "middle" : "bottom";
          const place = figure.horizontal ? [end + 6, bar.y] : [bar.x, end - 4];
          ctx.fillText(text, ...place);
        });
      });
      ctx.restore();
    },
  };

  function bars(figure, canvas) {
    const narrow = isNarrow(canvas);
    const longest = figure.horizontal ? (narrow ? 18 : 34) : (narrow ? 13 : 24);
    if (figure.horizontal) {
      const line = root.classList.contains("printing") ? 26 : narrow ? 40 : 38;
      canvas.parentElement.style.height = 70 + figure.labels.length * line + "px";
    }
    // The longest bar may reach the end of the axis: what is written behind it has its own room.
    const room = widest(canvas, endFont(figure, narrow), figure.labels.flatMap((_label, at) => endTexts(figure, at))) + 8;
    const names = { grid: { display: false }, stacked: figure.stacked, border: { color: colour("line") },
      ticks: { color: colour("text"), font: { size: narrow && figure.horizontal ? 11 : 12 }, autoSkip: false, maxRotation: 0 } };
    const values = { stacked: figure.stacked, beginAtZero: true, border: { display: false },
      grid: { color: colour("line") },
      ticks: { color: colour("muted"), maxTicksLimit: 6, precision: 0, callback: (value) => compact.format(value) } };
    return {
      type: "bar",
      data: {
        labels: figure.labels.map((label) => wrapped(label, longest)),
        datasets: figure.series.map((series) => ({
          label: series.label, data: series.values, backgroundColor: colour(series.role),
          borderColor: colour("surface"), borderWidth: figure.stacked ? 1 : 0, borderRadius: 3, maxBarThickness: figure.horizontal ? 18 : 72,
        })),
      },
      options: {
        indexAxis: figure.horizontal ? "y" : "x",
        layout: { padding: figure.horizontal ? { right: room } : { top: 18 } },
        scales: figure.horizontal ? { x: values, y: names } : { x: names, y: values },
        interaction: { mode: "index", axis: figure.horizontal ? "y" : "x", intersect: false },
        plugins: {
          ends: figure,
          legend: { position: "bottom", align: "start", labels: { color: colour("text"), boxWidth: 12, boxHeight: 12 } },
          tooltip: tooltip({
            title: (items) => figure.labels[items[0].dataIndex],
            label: (item) => item.dataset.label + ": " + figure.series[item.datasetIndex].texts[item.dataIndex],
          }),
        },
      },
      plugins: [ends],
    };
  }

  function draw() {
    drawn.forEach(({ chart }) => chart.destroy());
    drawn = Object.entries(figures).map(([id, figure]) => {
      const canvas = document.getElementById(id);
      const chart = new Chart(canvas, (figure.kind === "flow" ? flow : bars)(figure, canvas));
      return { chart, canvas, narrow: isNarrow(canvas) };
    });
  }

  // A chart in a closed section has no width yet: it is drawn when the section is opened.
  const sections = [...document.querySelectorAll("details.section")];
  const openAll = () => sections.forEach((section) => { section.open = true; });
  function follow() {
    const id = decodeURIComponent(location.hash.slice(1));
    if (id === "all") openAll();
    const section = sections.find((it) => it.id === id);
    if (section) { section.open = true; section.scrollIntoView(); }
  }

  root.classList.add("drawing");
  Chart.defaults.animation = false;
  Chart.defaults.maintainAspectRatio = false;
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  follow();
  draw();
  window.addEventListener("hashchange", follow);
  sections.forEach((section) => section.addEventListener("toggle", draw));
  dark.addEventListener("change", draw);
  window.addEventListener("resize", () => {
    if (drawn.some(({ canvas, narrow }) => isNarrow(canvas) !== narrow)) draw();
  });
  window.addEventListener("beforeprint", () => { openAll(); root.classList.add("printing"); draw(); });
  window.addEventListener("afterprint", () => { root.classList.remove("printing"); draw(); });
})();
