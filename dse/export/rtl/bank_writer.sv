// Elements of a strip to the banks: by row and column of a map, or flat, by tap, as the inputs of a fully connected layer. All bit
// planes of an element are written at once; plane b lies b mod 3 columns and, from the fourth on, half a strip of rows
// further, in a flat map 2 (b mod 4) taps, so that no two planes meet in a bank.
module bank_writer #(
    parameter int VECTOR_WIDTH = 8,
    parameter int CHANNEL_LANES = 8,
    parameter int PLANES = 3,
    parameter bit DUAL = 1'b0,
    parameter int ADDRESS_BITS = 16,
    localparam int ROWS = VECTOR_WIDTH + 2,
    localparam int BANKS = 3 * ROWS,
    localparam int MAPS = DUAL ? 2 : 1
) (
    input  logic                                store,
    input  logic                                flat,
    input  logic                                dual,
    input  logic [7:0]                          planes,
    input  logic [7:0]                          rows,
    input  logic [MAPS*VECTOR_WIDTH*PLANES-1:0] stored,
    input  logic [ADDRESS_BITS-1:0]             plane_pitch,
    // In a map: bank of the first row and of the column, address of the first row, and of rows behind the last bank.
    input  logic [7:0]                          row_bank,
    input  logic [1:0]                          column_bank,
    input  logic [8:0]                          lane,
    input  logic [ADDRESS_BITS-1:0]             near,
    input  logic [ADDRESS_BITS-1:0]             far,
    // In a flat map: place of the first element.
    input  logic [7:0]                          flat_lane,
    input  logic [7:0]                          flat_tap,
    input  logic [ADDRESS_BITS-1:0]             flat_address,
    output logic [BANKS-1:0]                    write_enable,
    output logic [BANKS*ADDRESS_BITS-1:0]       write_address,
    output logic [BANKS*CHANNEL_LANES-1:0]      write_data,
    output logic [BANKS*CHANNEL_LANES-1:0]      write_mask
);
  localparam int L = CHANNEL_LANES;
  localparam int A = ADDRESS_BITS;
  localparam int HALF = (VECTOR_WIDTH + 1) / 2;
  localparam int TRIPLES = (PLANES + 2) / 3;
  localparam int TURN_BITS = $clog2(ROWS);
  localparam int RUN = MAPS * VECTOR_WIDTH;
  localparam int CHUNKS = (RUN + 2 * L - 2) / L;  // words of lanes that a run touches
  localparam int SPAN = CHUNKS * L;

  function automatic logic [A-1:0] either_address(input logic [PLANES*A-1:0] parts);
    either_address = '0;
    for (int p = 0; p < PLANES; p = p + 1) either_address = either_address | parts[p*A+:A];
  endfunction
  function automatic logic [L-1:0] either_plane(input logic [PLANES*L-1:0] parts);
    either_plane = '0;
    for (int p = 0; p < PLANES; p = p + 1) either_plane = either_plane | parts[p*L+:L];
  endfunction
  // A run by taps: its words of lanes lie one tap further each, and begin anew behind the ninth.
  function automatic logic [9*L-1:0] by_taps(input logic [SPAN-1:0] run, input logic [7:0] first_tap);
    by_taps = '0;
    for (int t = 0; t < 9; t = t + 1)
      for (int c = 0; c < CHUNKS; c = c + 1)
        if (first_tap == 8'((t + 9 * CHUNKS - c) % 9)) by_taps[t*L+:L] = by_taps[t*L+:L] | run[c*L+:L];
  endfunction

  // Rows that are stored, and lanes, the same for all planes.
  wire [7:0] turn = row_bank == 8'd0 ? 8'd0 : ROWS[7:0] - row_bank;
  wire unused_turn = &{1'b0, turn};
  wire [L-1:0] lower_lane = {{L - 1{1'b0}}, 1'b1} << lane;
  wire [L-1:0] upper_lane = dual ? lower_lane << 1 : '0;
  logic [ROWS-1:0] row_valid, bank_valid, bank_wrapped;
  genvar b, i, j, k;
  generate
    for (k = 0; k < ROWS; k = k + 1) begin : g_valid
      if (k < VECTOR_WIDTH) begin : g_row
        assign row_valid[k] = rows > k[7:0];
      end else begin : g_halo
        assign row_valid[k] = 1'b0;
      end
      assign bank_wrapped[k] = row_bank > k[7:0];
    end
  endgenerate
  rotator #(.WORDS(ROWS), .WIDTH(1)) turn_valid (.by(turn[TURN_BITS-1:0]), .words(row_valid), .turned(bank_valid));

  // The run of a strip's elements, both maps of a dual threshold side by side, moved to its lane.
  wire [RUN-1:0] run_valid;
  wire [SPAN-1:0] run_mask = SPAN'(run_valid) << flat_lane;
  wire [9*L-1:0] tap_mask = by_taps(run_mask, flat_tap);
  generate
    for (i = 0; i < RUN; i = i + 1) begin : g_run
      if (DUAL) begin : g_dual
        if (i < VECTOR_WIDTH) begin : g_low
          assign run_valid[i] = dual ? rows > i[8:1] : rows > i[7:0];
        end else begin : g_high
          assign run_valid[i] = dual && rows > i[8:1];
        end
      end else begin : g_single
        assign run_valid[i] = rows > i[7:0];
      end
    end
  endgenerate

  // Each plane: its bits by bank of rows and by tap.
  generate
    for (b = 0; b < PLANES; b = b + 1) begin : g_plane
      logic [A-1:0] plane_offset;
      if (b == 0) begin : g_lowest
        assign plane_offset = '0;
        wire unused_pitch = &{1'b0, plane_pitch};
      end else begin : g_higher
        assign plane_offset = g_plane[b-1].plane_offset + plane_pitch;
      end
      wire [A-1:0] plane_near = near + plane_offset;
      wire [A-1:0] plane_far = far + plane_offset;
      wire [A-1:0] plane_flat = flat_address + plane_offset;

      logic [ROWS-1:0] lower_rows, upper_rows, lower_banks, upper_banks;
      logic [RUN-1:0] run;
      for (i = 0; i < ROWS; i = i + 1) begin : g_row
        if (i < VECTOR_WIDTH) begin : g_used
          assign lower_rows[i] = stored[i*PLANES+b];
          if (DUAL) begin : g_dual
            assign upper_rows[i] = stored[(VECTOR_WIDTH+i)*PLANES+b];
          end else begin : g_single
            assign upper_rows[i] = 1'b0;
          end
        end else begin : g_halo
          assign lower_rows[i] = 1'b0;
          assign upper_rows[i] = 1'b0;
        end
      end
      for (i = 0; i < RUN; i = i + 1) begin : g_run
        if (DUAL) begin : g_dual
          wire paired = i % 2 == 0 ? lower_rows[i/2] : upper_rows[i/2];
          if (i < VECTOR_WIDTH) begin : g_low
            assign run[i] = dual ? paired : lower_rows[i];
          end else begin : g_high
            assign run[i] = dual && paired;
          end
        end else begin : g_single
          assign run[i] = lower_rows[i];
        end
      end
      rotator #(.WORDS(ROWS), .WIDTH(1)) turn_lower (
          .by(turn[TURN_BITS-1:0]), .words(lower_rows), .turned(lower_banks)
      );
      if (DUAL) begin : g_upper
        rotator #(.WORDS(ROWS), .WIDTH(1)) turn_upper (
            .by(turn[TURN_BITS-1:0]), .words(upper_rows), .turned(upper_banks)
        );
      end else begin : g_no_upper
        assign upper_banks = upper_rows;
      end

      wire [SPAN-1:0] moved = SPAN'(run) << flat_lane;
      wire [9*L-1:0] taps = by_taps(moved, flat_tap);
    end
  endgenerate

  // Each bank: the plane that comes to it.
  generate
    for (k = 0; k < ROWS; k = k + 1) begin : g_bank_row
      for (j = 0; j < 3; j = j + 1) begin : g_bank
        localparam int BANK = 3 * k + j;
        wire [PLANES-1:0] lower, upper, valid;
        wire [PLANES*A-1:0] addresses;
        for (b = 0; b < PLANES; b = b + 1) begin : g_from
          localparam int SOURCE = b >= 3 && b <= 5 ? (k + ROWS - HALF) % ROWS : k;
          localparam int COLUMN = (j + 9 - b % 9) % 3;
          wire here = column_bank == COLUMN[1:0];
          wire chosen = TRIPLES > 1 ? valid[b] : here;
          wire [A-1:0] address = bank_wrapped[SOURCE] ? g_plane[b].plane_far : g_plane[b].plane_near;
          assign valid[b] = here && bank_valid[SOURCE] && planes > b[7:0];
          assign lower[b] = here && g_plane[b].lower_banks[SOURCE];
          assign upper[b] = here && g_plane[b].upper_banks[SOURCE];
          assign addresses[b*A+:A] = chosen ? address : '0;
        end
        wire [L-1:0] map_data = ({L{|lower}} & lower_lane) | ({L{|upper}} & upper_lane);
        if (BANK < 9) begin : g_flat
          wire [PLANES-1:0] hit;
          wire [PLANES*A-1:0] places;
          wire [PLANES*L-1:0] data, masks;
          for (b = 0; b < PLANES; b = b + 1) begin : g_from
            localparam int TAP = (BANK + 18 - 2 * (b % 4)) % 9;
            wire [A-1:0] place = g_plane[b].plane_flat + {{A - 1{1'b0}}, flat_tap > TAP[7:0]};
            assign hit[b] = planes > b[7:0] && |tap_mask[TAP*L+:L];
            assign places[b*A+:A] = hit[b] ? place : '0;
            assign data[b*L+:L] = g_plane[b].taps[TAP*L+:L];
            assign masks[b*L+:L] = hit[b] ? tap_mask[TAP*L+:L] : '0;
          end
          assign write_enable[BANK] = store && (flat ? |hit : |valid);
          assign write_address[BANK*A+:A] = flat ? either_address(places) : either_address(addresses);
          assign write_data[BANK*L+:L] = flat ? either_plane(data) : map_data;
          assign write_mask[BANK*L+:L] = flat ? either_plane(masks) : lower_lane | upper_lane;
        end else begin : g_map
          assign write_enable[BANK] = store && !flat && |valid;
          assign write_address[BANK*A+:A] = either_address(addresses);
          assign write_data[BANK*L+:L] = map_data;
          assign write_mask[BANK*L+:L] = lower_lane | upper_lane;
        end
      end
    end
  endgenerate
endmodule
