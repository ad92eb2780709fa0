// Options of ECharts for the data of each chart. Times are minutes since the local day began. `hours`
// maps minutes to local clock times, so that a day of 23 or 25 hours is drawn with that many hours.
import { token, escapeHtml, measure } from "./palette.js";

function clock(hours, minute) {
  let [start, label] = hours[0];
  for (const [at, text] of hours) if (at <= minute) [start, label] = [at, text];
  const rest = Math.floor(minute - start);
  const [hour, base] = label.split(":").map(Number);
  return `${String(hour).padStart(2, "0")}:${String(base + rest).padStart(2, "0")}`;
}

function base() {
  return {
    animation: false,
    backgroundColor: "transparent",
    textStyle: { fontFamily: "Roboto, system-ui, sans-serif", color: token("--muted") },
    tooltip: {
      confine: true,
      backgroundColor: token("--surface"),
      borderColor: token("--line"),
      textStyle: { color: token("--ink"), fontSize: 13 },
    },
  };
}

function axis(options) {
  return {
    type: "value",
    nameTextStyle: { color: token("--muted"), fontSize: 12 },
    axisLine: { show: true, lineStyle: { color: token("--line") } },
    axisTick: { show: false },
    axisLabel: { color: token("--muted"), fontSize: 12, hideOverlap: true },
    splitLine: { lineStyle: { color: token("--line") } },
    ...options,
  };
}

function timeAxis(data, narrow, options = {}) {
  const total = data.hours[data.hours.length - 1][0];
  return axis({
    min: 0,
    max: total,
    interval: narrow ? 360 : 120,
    splitLine: { show: false },
    ...options,
    axisLabel: {
      color: token("--muted"),
      fontSize: 12,
      hideOverlap: true,
      ...(options.axisLabel ?? {}),
      formatter: (minute) => clock(data.hours, minute),
    },
  });
}

// cells: [minute, from mile, to mile, speed, flow, place, milepost], each five minutes wide.
function contour(data, narrow, echarts) {
  const colors = [0, 1, 2, 3, 4].map((step) => token(`--speed-${step}`));
  return {
    ...base(),
    grid: { left: 58, right: narrow ? 14 : 96, top: 16, bottom: narrow ? 104 : 52 },
    xAxis: timeAxis(data, narrow, { axisLine: { onZero: false, lineStyle: { color: token("--line") } }, name: `time of day (${data.zone})`, nameLocation: "middle", nameGap: 30 }),
    yAxis: axis({
      name: "milepost (miles)",
      nameLocation: "middle",
      nameGap: 40,
      min: data.first,
      max: data.last,
      inverse: data.inverse,
      splitLine: { show: false },
      axisLabel: { color: token("--muted"), fontSize: 12, formatter: (mile) => String(Math.round(mile * 10) / 10) },
    }),
    visualMap: {
      type: "continuous",
      min: 0,
      max: data.top,
      dimension: 3,
      calculable: false,
      orient: narrow ? "horizontal" : "vertical",
      ...(narrow ? { left: "center", bottom: 0 } : { right: 4, top: "center" }),
      itemHeight: narrow ? 170 : 190,
      text: [`${data.top} mph`, "0 mph"],
      textStyle: { color: token("--muted") },
      inRange: { color: colors },
      formatter: (speed) => `${Math.round(speed)} mph`,
    },
    tooltip: {
      ...base().tooltip,
      formatter: ({ value }) =>
        [
          `<b>${clock(data.hours, value[0])}</b> at mile ${value[6]}`,
          escapeHtml(data.places[value[5]]),
          `${measure(value[3], "mph", 1)} · ${measure(value[4], "veh/h, all lanes")}`,
        ].join("<br>"),
    },
    series: [
      {
        type: "custom",
        data: data.cells,
        dimensions: ["minute", "from", "to", "speed", "flow", "place", "mile"],
        encode: { x: 0, y: [1, 2], tooltip: [3] },
        clip: true,
        progressive: 0,
        renderItem(_params, api) {
          const [x0, y0] = api.coord([api.value(0), api.value(1)]);
          const [x1, y1] = api.coord([api.value(0) + data.width, api.value(2)]);
          return {
            type: "rect",
            shape: {
              x: Math.floor(x0),
              y: Math.floor(Math.min(y0, y1)),
              width: Math.ceil(x1 - x0) + 0.5,
              height: Math.ceil(Math.abs(y1 - y0)) + 0.5,
            },
            style: { fill: api.visual("color") },
          };
        },
      },
    ],
  };
}

// Points of a line that breaks where readings are more than `gap` minutes apart.
function broken(rows, column, gap) {
  const points = [];
  let last = null;
  for (const row of rows) {
    if (last !== null && row[0] - last > gap) points.push([last + gap / 2, null]);
    points.push([row[0], row[column]]);
    last = row[0];
  }
  return points;
}

// rows: [minute, speed, volume, occupancy, names of failed tests, clock].
function series(data, narrow) {
  const parts = [
    { column: 1, name: "speed (mph)", unit: "mph", color: token("--accent"), digits: 1 },
    { column: 2, name: "flow (vehicles per hour)", unit: "veh/h", color: token("--flow"), digits: 0 },
    { column: 3, name: "occupancy (percent)", unit: "%", color: token("--occupancy"), digits: 1 },
  ];
  const height = 27;
  const flagged = data.rows.filter((row) => row[4]);
  const byMinute = new Map(data.rows.map((row) => [row[0], row]));
  return {
    ...base(),
    grid: parts.map((_, at) => ({ left: 52, right: 16, top: `${6 + at * 32}%`, height: `${height - 3}%` })),
    axisPointer: { link: [{ xAxisIndex: "all" }], lineStyle: { color: token("--muted") }, label: { show: false } },
    tooltip: {
      ...base().tooltip,
      trigger: "axis",
      formatter(items) {
        const row = byMinute.get(items[0]?.value[0]);
        if (!row) return "";
        const lines = [`<b>${row[5]}</b>`, ...parts.map((part) => measure(row[part.column], part.unit, part.digits))];
        if (row[4]) lines.push(`<span class="flag">▲ ${escapeHtml(row[4])}</span>`);
        return lines.join("<br>");
      },
    },
    xAxis: parts.map((_, at) =>
      timeAxis(data, narrow, { gridIndex: at, axisLabel: { show: at === parts.length - 1 } }),
    ),
    yAxis: parts.map((part, at) =>
      axis({
        gridIndex: at,
        name: part.name,
        nameLocation: "end",
        nameGap: 10,
        nameTextStyle: { color: token("--ink"), fontSize: 12.5, align: "left", padding: [0, 0, 0, -44] },
        min: 0,
        splitNumber: 3,
      }),
    ),
    dataZoom: [
      { type: "inside", xAxisIndex: [0, 1, 2], zoomOnMouseWheel: "ctrl", filterMode: "none" },
    ],
    series: parts.flatMap((part, at) => [
      {
        type: "line",
        data: broken(data.rows, part.column, data.gap),
        xAxisIndex: at,
        yAxisIndex: at,
        // Points too, because a speed between two intervals without vehicles has no line.
        symbol: "circle",
        symbolSize: 2.4,
        showAllSymbol: true,
        lineStyle: { width: 1.1, color: part.color },
        itemStyle: { color: part.color },
        connectNulls: false,
      },
      {
        type: "scatter",
        data: flagged.filter((row) => row[part.column] !== null).map((row) => [row[0], row[part.column]]),
        xAxisIndex: at,
        yAxisIndex: at,
        symbol: "triangle",
        symbolSize: 8,
        itemStyle: { color: token("--flagged") },
      },
    ]),
  };
}

// rows: [density, flow, speed, minute].
function scatter(data, narrow) {
  const densest = Math.max(10, ...data.rows.map((row) => row[0]));
  const most = Math.max(100, ...data.rows.map((row) => row[1]));
  const ray = data.free_flow ? Math.min(densest, (most * 1.05) / data.free_flow) : 0;
  return {
    ...base(),
    // The name of the dashed line needs room behind its end.
    grid: { left: 58, right: ray && !narrow ? 104 : 22, top: 34, bottom: 50 },
    xAxis: axis({ name: "density (vehicles per mile)", nameLocation: "middle", nameGap: 30, min: 0 }),
    yAxis: axis({
      name: "flow (vehicles per hour)",
      nameLocation: "end",
      min: 0,
      nameTextStyle: { color: token("--ink"), fontSize: 12.5, align: "left", padding: [0, 0, 0, -50] },
    }),
    tooltip: {
      ...base().tooltip,
      formatter: ({ value }) =>
        value.length < 4
          ? ""
          : [
              `<b>${clock(data.hours, value[3])}</b>`,
              measure(value[0], "veh/mi", 1),
              measure(value[1], "veh/h"),
              measure(value[2], "mph", 1),
            ].join("<br>"),
    },
    series: [
      {
        type: "scatter",
        data: data.rows,
        symbolSize: 6,
        itemStyle: { color: token("--accent"), opacity: 0.6 },
      },
      {
        type: "line",
        data: ray ? [[0, 0], [ray, ray * data.free_flow]] : [],
        showSymbol: false,
        silent: true,
        lineStyle: { type: "dashed", color: token("--muted"), width: 1.2 },
        endLabel: {
          show: Boolean(ray) && !narrow,
          formatter: `free flow, ${Math.round(data.free_flow ?? 0)} mph`,
          color: token("--muted"),
          fontSize: 12,
        },
      },
    ],
  };
}

export const KINDS = { contour, series, scatter };
