// The layout of the last version that pinned no description of its tables.

/// Layout 6, as its BTF had it; never changed.
///
/// Its tables were in the node's own folder, and daemons that knew it refused every other. Reason 20, which no program
/// counted, is left out.
enum LayoutSix {
    static let version: UInt32 = 6

    static let text = """
        abi 6
        map legs crosspoint_leg
        map leg_details crosspoint_leg_detail
        map node crosspoint_node
        map flow_lines crosspoint_flow_line
        map flows crosspoint_flow
        map flow_details crosspoint_flow_detail
        map rtp crosspoint_rtp
        map rtp_details crosspoint_rtp_detail
        map flow_counts crosspoint_flow_count
        map flow_labels crosspoint_flow_label
        map leg_counts crosspoint_leg_count
        map leg_refusals crosspoint_leg_count
        map leg_labels crosspoint_leg_label
        map groups crosspoint_group
        map ports crosspoint_port_slot
        map lanes crosspoint_lane
        map reason_counts crosspoint_reason_count
        map sockets crosspoint_socket
        record crosspoint_leg 64
        field flags 0 4 1
        field port 4 1 1
        field tag_count 5 1 1
        field ttl_add 6 1 1
        field dscp_keep 7 1 1
        field destination_mac 8 1 6
        field source_mac 14 1 6
        field dscp_set 20 1 1
        field payload_type 21 1 1
        field address_sum 22 2 1
        field tags 24 4 2
        field source_port 32 2 1
        field destination_port 34 2 1
        field counter 36 4 1
        field source_ipv4 40 4 1
        field destination_ipv4 44 4 1
        field ssrc 48 4 1
        field timestamp_offset 52 4 1
        field sequence_offset 56 2 1
        field ttl_keep 58 1 1
        field l3_offset 59 1 1
        field gate_sequence 60 4 1
        record crosspoint_leg_detail 64
        field source_ipv6 0 4 4
        field destination_ipv6 16 4 4
        field gate_deadline 32 8 1
        field reserved 40 4 6
        record crosspoint_node 184
        field abi_version 0 4 1
        field lane_count 4 4 1
        field flow_slots 8 4 1
        field flows 12 4 1
        field leg_slots 16 4 1
        field group_slots 20 4 1
        field leg_counters 24 4 1
        field worker_lanes 28 4 1
        field network_namespace 32 8 1
        field tx_ports_map 40 4 1
        field ingress_program 44 4 1
        field name 48 1 64
        field program_version 112 1 64
        field created 176 8 1
        record crosspoint_flow_line 64
        field entries 0 4 16
        record crosspoint_flow 64
        field destination 0 4 4
        field interface_index 16 4 1
        field vlans 20 4 1
        field destination_port 24 2 1
        field kind 26 1 1
        field key_reserved 27 1 1
        field source_port 28 2 1
        field flags 30 2 1
        field target 32 8 1
        field nanoseconds_per_tick 40 8 1
        field outage 48 4 1
        field index 52 4 1
        field ingress_mac 56 1 6
        field clock_mask 62 1 1
        field port 63 1 1
        record crosspoint_flow_detail 64
        field source 0 4 4
        field rtcp_target 16 8 1
        field generation 24 8 1
        field max_dropout 32 2 1
        field max_misorder 34 2 1
        field rules 36 4 1
        field reserved 40 4 6
        record crosspoint_rtp 64
        field highest 0 8 1
        field received 8 8 1
        field last_arrival 16 8 1
        field window 24 8 1
        field jitter 32 8 1
        field last_timestamp 40 4 1
        field ssrc 44 4 1
        field largest_gap 48 4 1
        field largest_jitter 52 4 1
        field source 56 4 1
        field bad_sequence 60 2 1
        field state 62 1 1
        field payload_type 63 1 1
        record crosspoint_rtp_detail 640
        field base 0 8 1
        field expected_before 8 8 1
        field received_before 16 8 1
        field loss_events 24 8 1
        field reordered 32 8 1
        field duplicates 40 8 1
        field late 48 8 1
        field ssrc_changes 56 8 1
        field source_changes 64 8 1
        field sequence_resets 72 8 1
        field outages 80 8 1
        field largest_gap_packets 88 8 1
        field rtcp_packets 96 8 1
        field invalid 104 8 1
        field wrong_source 112 8 1
        field reserved 120 8 1
        field history 128 8 64
        record crosspoint_flow_count 16
        field packets 0 8 1
        field bytes 8 8 1
        record crosspoint_flow_label 256
        field route 0 1 64
        field from 64 1 160
        field clock_rate 224 4 1
        field payload 228 1 1
        field accounting 229 1 1
        field in_use 230 1 1
        field engine_reason 231 1 1
        field slot 232 4 1
        field padding 236 1 20
        record crosspoint_leg_count 16
        field packets 0 8 1
        field bytes 8 8 1
        record crosspoint_leg_label 192
        field flow 0 4 1
        field number 4 4 1
        field in_use 8 1 1
        field reserved 9 1 7
        field to 16 1 176
        record crosspoint_group 272
        field first_leg 0 4 1
        field leg_count 4 4 1
        field reserved 8 4 2
        field sections 16 4 64
        record crosspoint_port_slot 8
        field interface_index 0 4 1
        field port 4 4 1
        record crosspoint_lane 4416
        field ports 0 64 64 crosspoint_port_count
        field interfaces 4096 4 64
        field packet 4352 4 1
        field event_second 4356 4 1
        field event_count 4360 4 1
        field reserved 4364 4 13
        record crosspoint_reason_count 512
        field packets 0 8 64
        record crosspoint_socket 256
        field heartbeat 0 8 1
        field flags 8 4 1
        field worker 12 4 1
        field counters 16 8 30
        record crosspoint_port_count 64
        field forwarded_packets 0 8 1
        field forwarded_bytes 8 8 1
        field requested_copies 16 8 1
        field transmitted_copies 24 8 1
        field refused_copies 32 8 1
        field last_packet 40 4 1
        field legs 44 4 1
        field dropped_copies 48 8 1
        field direct_leg 56 4 1
        field direct_port 60 2 1
        field direct_bytes 62 2 1
        reason 0 pass_not_ip
        reason 1 pass_not_udp
        reason 2 pass_not_ours
        reason 3 pass_too_many_vlans
        reason 4 pass_malformed
        reason 5 pass_ip_options
        reason 6 pass_fragment
        reason 7 pass_ttl_expired
        reason 8 pass_unknown_source
        reason 9 pass_to_host
        reason 10 drop_no_flow
        reason 11 drop_draining
        reason 12 drop_wrong_source
        reason 13 drop_wrong_port
        reason 14 drop_own_packet
        reason 15 drop_no_leg
        reason 16 drop_not_rtp
        reason 17 drop_not_rtcp
        reason 18 drop_bad_length
        reason 19 drop_bad_checksum
        reason 21 drop_no_worker
        reason 22 copy_gated
        reason 23 copy_no_leg
        reason 24 copy_rewrite_failed
        reason 25 copy_interface_down
        reason 26 copy_too_long
        reason 27 copy_not_supported
        reason 28 copy_no_memory
        reason 29 copy_refused
        reason 30 copy_worker_busy
        reason 31 copy_srtp_authentication
        reason 32 copy_srtp_replay
        reason 33 copy_srtp_unknown_key
        reason 34 copy_srtp_malformed
        reason 35 copy_srtp_key_limit
        reason 36 copy_srtp_no_key
        reason 37 copy_srtp_failed
        """
}
